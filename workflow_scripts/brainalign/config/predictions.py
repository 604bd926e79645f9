"""The section `predictions`: responses to new stimuli, by encoders that are fitted to a whole data set and kept."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import Field

from brainalign.config.base import RESERVED_READOUT, Name, Section
from brainalign.config.data import Dataset, SimulatedDataset
from brainalign.config.encoder_settings import library_settings
from brainalign.config.encoders import Encoder
from brainalign.config.features import FeatureTable, JointFeatures
from brainalign.config.joined import parts, scored_by, with_responses
from brainalign.config.twins import with_twins
from brainalign.encoding.kept_settings import check_can_be_kept
from brainalign.errors import InputError

if TYPE_CHECKING:
    from brainalign.config.study import Study

CHOSEN = "chosen"
# What is made of the stimuli of one data set, so that the same column is something else in another.
_OF_ONE_DATASET = ("autocorrelation", "random")


class Prediction(Section):
    """Responses that the neuroids of one data set would have to the stimuli of another."""

    encoder: Name
    readout: Name | None = Field(None, description="of a model; an entry of `features` has none")
    features: Name = Field(description="a model, or an entry of `features`")
    dataset: Name = Field(description="the data set to whose responses the encoder is fitted")
    layer: Name = Field(
        CHOSEN,
        description="a layer's name; or `chosen`: the one with the highest inner score over the encoder's folds, or "
        "the one layer that the encoder names or takes by test scores",
    )
    stimuli_of: Name = Field(description="another data set; it may be one of stimuli alone (loader: stimuli-only)")

    @property
    def readout_folder(self) -> str:
        """The readout's name in paths."""
        return self.readout or RESERVED_READOUT


def prediction_references(study: "Study") -> Iterator[tuple[str, str, list[str], str]]:
    """Yield (key, name, allowed, what it must be the name of) for every name that the section refers to."""
    models = [name for name, model in with_twins(study.models).items() if not model.published]
    for name, entry in study.predictions.items():
        key = f"predictions.{name}"
        yield f"{key}.encoder", entry.encoder, list(study.encoders), "encoder"
        yield f"{key}.features", entry.features, [*models, *study.features], "model with weights or of `features`"
        yield f"{key}.dataset", entry.dataset, with_responses(study), "data set with responses"
        if entry.encoder in study.encoders and entry.dataset in with_responses(study):
            own, what = scored_by(study, entry.encoder), f"data set of the encoder {entry.encoder!r}"
            yield f"{key}.dataset", entry.dataset, own, what
        fitted = {*parts(study, entry.dataset)} if entry.dataset in study.datasets else set()
        others = [dataset for dataset in study.datasets if not fitted & {*parts(study, dataset)}]
        yield f"{key}.stimuli_of", entry.stimuli_of, others, "other data set"
        if entry.readout is not None and entry.features not in study.features:
            yield f"{key}.readout", entry.readout, list(study.readouts), "readout"


def impossible_predictions(study: "Study") -> Iterator[str]:
    """Yield a sentence for each prediction that could not be made, or would mean nothing."""
    for name, entry in study.predictions.items():
        key = f"predictions.{name}"
        yield from _impossible_features(key, entry, study)
        encoder = study.encoders.get(entry.encoder)
        if encoder is None or not {entry.stimuli_of, entry.dataset} <= {*study.datasets}:
            continue
        yield from _cannot_be_kept(f"{key}.encoder", entry.encoder, encoder)
        new, fitted = (parts(study, name).values() for name in (entry.stimuli_of, entry.dataset))
        if entry.layer == CHOSEN and not isinstance(encoder.layer, str) and encoder.layer.nested:
            yield (
                f"{key}.layer: holds 'chosen', but the encoder {entry.encoder!r} chooses a layer for each "
                f"{encoder.layer.nested}; name one layer."
            )
        if encoder.zscore and not all(map(_has_runs, new)):
            yield (
                f"{key}.stimuli_of: the encoder {entry.encoder!r} z-scores features within runs, but the data set "
                f"{entry.stimuli_of!r} has no runs."
            )
        if encoder.delays and any(map(_is_series, fitted)) and not all(_is_series(of) and _has_runs(of) for of in new):
            yield (
                f"{key}.stimuli_of: the encoder {entry.encoder!r} delays the features of {entry.dataset!r}, but the "
                f"data set {entry.stimuli_of!r} has no runs with onsets."
            )


def _cannot_be_kept(key: str, name: str, encoder: Encoder) -> Iterator[str]:
    try:
        settings = library_settings(encoder)
    except InputError:
        return  # said of the encoder itself
    try:
        check_can_be_kept(settings)
    except InputError as error:
        yield f"{key}: holds {name!r}, but {error}"


def _impossible_features(key: str, entry: Prediction, study: "Study") -> Iterator[str]:
    features = study.features.get(entry.features)
    if features is None:
        if entry.readout is None and entry.features in with_twins(study.models):
            yield f"{key}: the key 'readout' is missing; the model {entry.features!r} needs one."
        readout = study.readouts.get(entry.readout or "")
        if readout and readout.match and readout.match.components:
            yield (
                f"{key}.readout: holds {entry.readout!r}, whose components are fitted to the stimuli of each data set "
                "by itself, so that they are others in another; match by projection or localizer."
            )
        return
    if entry.readout is not None:
        yield f"{key}.readout: holds {entry.readout!r}, but {entry.features!r} is an entry of `features` and has none."
    if isinstance(features, JointFeatures):
        yield (
            f"{key}.features: holds {entry.features!r}, which is joint features; encoders are kept of one feature "
            f"space: name one of its members, {', '.join(features.joint)}."
        )
    elif isinstance(features, FeatureTable):
        for dataset in (entry.dataset, entry.stimuli_of):
            if features.datasets is not None and dataset not in features.datasets:
                yield f"{key}.features: the table {entry.features!r} does not cover the data set {dataset!r}."
    elif features.control in _OF_ONE_DATASET:
        yield (
            f"{key}.features: holds {entry.features!r}, but the null {features.control!r} is made of one data set's "
            "stimuli and says nothing of another's."
        )


def _is_series(dataset: Dataset) -> bool:
    if isinstance(dataset, SimulatedDataset):
        return dataset.kind == "stories"
    return bool(getattr(dataset, "onset_s", None) or getattr(dataset, "samples", None))


def _has_runs(dataset: Dataset) -> bool:
    if isinstance(dataset, SimulatedDataset):
        return dataset.kind == "stories"
    return bool(getattr(dataset, "run", None) or getattr(dataset, "samples", None))
