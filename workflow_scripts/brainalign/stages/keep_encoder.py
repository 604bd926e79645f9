"""Fit an encoder to all samples of a data set and keep it."""

from pathlib import Path
from typing import Any

from brainalign.activations.stored import StoredLayers
from brainalign.command import run
from brainalign.encoding.fit_to_all import chosen_layer, fit_to_all
from brainalign.encoding.fitted_stored import fitted_facts, fitted_variables
from brainalign.encoding.settings import EncoderSettings
from brainalign.provenance import Provenance
from brainalign.responses.stored import read_responses
from brainalign.storage import read_arrays, write_arrays


def keep_encoder(
    spec: dict[str, Any],
    provenance: Provenance,
    activations: Path,
    responses: Path,
    encoding: list[Path],
    out: Path,
) -> None:
    """Write all that predictions need; the layer is the one that the encoding, where it is given, chose."""
    settings, layer = EncoderSettings.from_mapping(spec["encoder"]), spec["layer"]
    if encoding:
        scores = read_arrays(encoding[0], ["layer", "inner_score", "chosen_layer"])
        layer = chosen_layer(scores["layer"].tolist(), scores["inner_score"], scores["chosen_layer"])
    data = read_responses(responses)
    features = StoredLayers(activations, data.stimulus_ids, data.features_of_samples)[layer]
    fitted = fit_to_all(layer, features, data.values, data.samples, data.neuroids, settings)
    facts = {**fitted_facts(fitted), **spec["names"], "samples": len(data.samples), "simulated": int(data.simulated)}
    write_arrays(out, fitted_variables(fitted), {**provenance.attributes(), **facts})


if __name__ == "__main__":
    run(keep_encoder)
