"""Predict one data set's responses from every layer of one feature space."""

from pathlib import Path
from typing import Any

from brainalign.activations.stored import layer_names, read_layers
from brainalign.command import run
from brainalign.devices import device_of
from brainalign.encoding.encoder import encode
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.stored import (
    encoding_facts,
    encoding_variables,
    features_of,
    read_best_layer,
    sampling_of,
)
from brainalign.provenance import Provenance
from brainalign.responses.stored import read_responses
from brainalign.storage import write_arrays


def fit_encoder(
    spec: dict[str, Any],
    provenance: Provenance,
    activations: Path,
    responses: Path,
    choosing: list[Path],
    out: Path,
    gpus: int = 0,
) -> None:
    """Write scores, penalties, the chosen layer and bootstrap replicates."""
    if choosing:
        spec = spec | {"layer": {"fixed": read_best_layer(choosing[0])}}
    settings = EncoderSettings.from_mapping(spec)
    data = read_responses(responses)
    features, sampling = features_of(data, settings), sampling_of(data, settings)
    names = layer_names(activations, data.stimulus_ids)
    layers = ((name, features(values)) for name, values in read_layers(activations, data.stimulus_ids))
    device = device_of(gpus)
    encoding = encode(layers, data.values, data.samples, data.neuroids, settings, sampling, names, device)
    attributes = {**provenance.attributes(), **encoding_facts(encoding, data), **data.facts}
    write_arrays(out, encoding_variables(encoding, data.neuroids), attributes)


if __name__ == "__main__":
    run(fit_encoder)
