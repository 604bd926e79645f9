"""Compare one data set's responses with every layer of one feature space by their representational similarity."""

from pathlib import Path
from typing import Any

import numpy as np

from brainalign.activations.stored import read_layers
from brainalign.command import run
from brainalign.provenance import Provenance
from brainalign.responses.stored import read_responses
from brainalign.similarity.measure import measure
from brainalign.similarity.settings import SimilaritySettings
from brainalign.similarity.table import similarity_table
from brainalign.tables import write_table


def measure_similarity(
    spec: dict[str, Any], provenance: Provenance, activations: Path, responses: Path, out: Path
) -> None:
    """Write the table of similarities, one row for each layer, subject and region."""
    settings = SimilaritySettings.from_mapping(spec["settings"])
    data = read_responses(responses)
    mapped = np.isin(np.arange(len(data.samples)), data.arrays["map_sample"])
    layers = ((name, data.features_of_samples(values)) for name, values in read_layers(activations, data.stimulus_ids))
    similarity = measure(layers, data.values, data.samples, data.neuroids, settings, mapped)
    write_table(out, similarity_table(similarity, settings, spec["names"], data.simulated), provenance)


if __name__ == "__main__":
    run(measure_similarity)
