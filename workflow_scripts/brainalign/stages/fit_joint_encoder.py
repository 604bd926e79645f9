"""Predict one data set's responses from several feature spaces together, each at the layer chosen in the fold."""

from pathlib import Path
from typing import Any

from brainalign.activations.stored import StoredLayers
from brainalign.command import run
from brainalign.devices import device_of
from brainalign.encoding.joint import WEIGHTS
from brainalign.encoding.joint_encoder import Member, encode_joint
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.stored import (
    encoding_facts,
    encoding_variables,
    features_of,
    read_choice,
    sampling_of,
)
from brainalign.provenance import Provenance
from brainalign.responses.stored import read_responses
from brainalign.storage import write_arrays


def fit_joint_encoder(
    spec: dict[str, Any],
    provenance: Provenance,
    activations: list[Path],
    encodings: list[Path],
    responses: Path,
    out: Path,
    gpus: int = 0,
) -> None:
    """Write scores, penalties and bootstrap replicates."""
    settings = EncoderSettings.from_mapping(spec["encoder"] | {"mixtures": spec["mixtures"]})
    data = read_responses(responses)
    members = [
        Member(StoredLayers(layers, data.stimulus_ids, features_of(data, settings)), read_choice(encoding))
        for layers, encoding in zip(activations, encodings, strict=True)
    ]
    device, sampling = device_of(gpus), sampling_of(data, settings)
    weights = WEIGHTS[spec["weights"]](len(members), settings.mixtures, settings.seed)
    encoding = encode_joint(members, data.values, data.samples, data.neuroids, settings, sampling, device, weights)
    attributes = {**provenance.attributes(), **encoding_facts(encoding, data), **data.facts}
    write_arrays(out, encoding_variables(encoding, data.neuroids), attributes)


if __name__ == "__main__":
    run(fit_joint_encoder)
