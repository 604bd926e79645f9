"""Predict responses to the stimuli of another data set."""

from pathlib import Path
from typing import Any

from brainalign.activations.stored import StoredLayers
from brainalign.command import run
from brainalign.encoding.fitted import predict
from brainalign.encoding.fitted_stored import check_fitted_to, prediction_variables, read_fitted, sample_columns
from brainalign.provenance import Provenance
from brainalign.responses.samples import Samples
from brainalign.responses.stored import read_responses
from brainalign.storage import read_attributes, write_arrays
from brainalign.tables import read_table


def predict_responses(
    spec: dict[str, Any],
    provenance: Provenance,
    fitted: Path,
    activations: Path,
    stimuli: Path,
    responses: list[Path],
    out: Path,
) -> None:
    """Write predictions; samples are those of the responses, which are not looked at, or else the stimuli."""
    check_fitted_to(fitted, spec)
    encoder = read_fitted(fitted)
    if responses:
        data = read_responses(responses[0])
        samples = data.samples
        layers = StoredLayers(activations, data.stimulus_ids, data.features_of_samples)
    else:
        table = read_table(stimuli)
        samples = Samples.from_table(table)
        layers = StoredLayers(activations, table["stimulus_id"].to_numpy(object), lambda features: features)
    predicted = predict(encoder, layers[encoder.layer], samples, encoder.layer)
    variables = prediction_variables(encoder, predicted, sample_columns(samples))
    facts = {**spec, "layer": encoder.layer, "simulated": int(read_attributes(fitted).get("simulated", 0))}
    write_arrays(out, variables, {**provenance.attributes(), **facts})


if __name__ == "__main__":
    run(predict_responses)
