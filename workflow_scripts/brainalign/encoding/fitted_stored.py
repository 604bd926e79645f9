"""Fitted encoders, and what they predict, as variables of a file."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from brainalign.encoding.fitted import Axes, FittedEncoder, TrainingKernel
from brainalign.errors import UnreadableFileError
from brainalign.responses.samples import Samples
from brainalign.storage import Variable, read_arrays, read_attributes

_OF_NEUROIDS = ("intercept", "penalty", "space", "in_sample_r", "cross_validated_r")
_FACTS = ("layer", "regression", "kernel", "kernel_scale", "zscore", "delays", "sampling_period_s")
_FITTED_TO = ("encoder", "readout", "features", "dataset")
_NAMES = ("neuroid", "subject", "region")


def fitted_variables(fitted: FittedEncoder) -> dict[str, Variable]:
    """Return a fitted encoder as variables with named dimensions."""
    along = ("neuroid",)
    result = {name: Variable(along, _text(fitted.neuroids[name])) for name in _NAMES}
    result |= {name: Variable(along, getattr(fitted, name)) for name in ("intercept", "penalty")}
    result["space"] = Variable(along, fitted.space.astype(np.int64))
    for name in ("in_sample_r", "cross_validated_r"):
        result[name] = Variable(along, getattr(fitted, name).astype(np.float32))
    result["undelayed_mean"] = Variable(("unit",), fitted.undelayed_mean)
    result["feature_mean"] = Variable(("prepared_unit",), fitted.feature_mean)
    basis = fitted.basis
    if isinstance(basis, Axes):
        result["axes"] = Variable(("prepared_unit", "axis"), basis.values)
        result["coefficients"] = Variable(("axis", "neuroid"), fitted.coefficients)
    else:
        result["features"] = Variable(("training_sample", "prepared_unit"), basis.features)
        result["kernel_parameter"] = Variable(("kernel_space",), basis.parameters)
        result["coefficients"] = Variable(("training_sample", "neuroid"), fitted.coefficients)
    return result


def fitted_facts(fitted: FittedEncoder) -> dict[str, str | int | float]:
    """Return what else is needed of a fitted encoder, as attributes of its file."""
    kernel = fitted.basis if isinstance(fitted.basis, TrainingKernel) else None
    return {
        "layer": fitted.layer,
        "regression": fitted.regression,
        "kernel": kernel.kernel if kernel else "linear",
        "kernel_scale": kernel.scale if kernel else 1.0,
        "zscore": int(fitted.zscore),
        "delays": json.dumps(list(fitted.delays)),
        "sampling_period_s": fitted.sampling_period_s,
    }


def read_fitted(path: Path) -> FittedEncoder:
    """Read what `fitted_variables` and `fitted_facts` say of an encoder.

    Raises
    ------
    UnreadableFileError : no fitted encoder, damaged, or with variables that do not fit each other.
    """
    facts = read_attributes(path)
    missing = [name for name in _FACTS if name not in facts]
    if missing:
        raise UnreadableFileError(path, f"it holds no fitted encoder (no attribute {missing[0]!r})")
    linear = facts["kernel"] == "linear"
    own = ("axes",) if linear else ("features", "kernel_parameter")
    names = (*_NAMES, *_OF_NEUROIDS, "undelayed_mean", "feature_mean", "coefficients", *own)
    arrays = read_arrays(path, names)
    basis: Axes | TrainingKernel
    if linear:
        basis, rows = Axes(arrays["axes"]), arrays["axes"].shape[-1]
    else:
        parameters = arrays["kernel_parameter"]
        basis = TrainingKernel(str(facts["kernel"]), parameters, float(facts["kernel_scale"]), arrays["features"])
        rows = len(arrays["features"])
    neuroids, delays = len(arrays["neuroid"]), tuple(int(value) for value in json.loads(facts["delays"]))
    width = len(arrays["undelayed_mean"]) * max(len(delays), 1)
    shapes = {"coefficients": (rows, neuroids), "feature_mean": (width,)}
    shapes |= {"axes": (width, rows)} if linear else {"features": (rows, width)}
    shapes |= dict.fromkeys((*_NAMES, *_OF_NEUROIDS), (neuroids,))
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise UnreadableFileError(path, f"its variable {name!r} has shape {arrays[name].shape}, not {shape}")
    return FittedEncoder(
        layer=str(facts["layer"]),
        regression=str(facts["regression"]),
        neuroids={name: arrays[name] for name in _NAMES},
        zscore=bool(facts["zscore"]),
        delays=delays,
        sampling_period_s=float(facts["sampling_period_s"]),
        undelayed_mean=arrays["undelayed_mean"],
        feature_mean=arrays["feature_mean"],
        basis=basis,
        coefficients=arrays["coefficients"],
        **{name: arrays[name] for name in _OF_NEUROIDS},
    )


def check_fitted_to(path: Path, names: Mapping[str, Any]) -> None:
    """Refuse a fitted encoder whose file says that it is another, or was fitted to something else.

    Parameters
    ----------
    path : of the fitted encoder.
    names : encoder, readout, features, dataset: what it is to be. Names that its file lacks are not compared.

    Raises
    ------
    UnreadableFileError : another name.
    """
    facts = read_attributes(path)
    for name in _FITTED_TO:
        if name in facts and facts[name] != names[name]:
            raise UnreadableFileError(path, f"its {name} is {str(facts[name])!r}, not {names[name]!r}")


def prediction_variables(
    fitted: FittedEncoder, predicted: np.ndarray, samples: Mapping[str, Any]
) -> dict[str, Variable]:
    """Return predicted responses, with what is known of samples and neuroids, as variables.

    Parameters
    ----------
    predicted : (sample, neuroid).
    samples : the columns to write, `sample` (ids) among them, each (sample,).
    """
    result = {"prediction": Variable(("sample", "neuroid"), predicted)}
    result |= {name: Variable(("sample",), _column(values)) for name, values in samples.items()}
    result |= {name: Variable(("neuroid",), _text(fitted.neuroids[name])) for name in _NAMES}
    result["cross_validated_r"] = Variable(("neuroid",), fitted.cross_validated_r.astype(np.float32))
    return result


def sample_columns(samples: Samples) -> dict[str, np.ndarray]:
    """Return the ids of samples, or of the stimuli that they are, with their runs and onsets where they have any."""
    ids = samples.column("sample_id" if "sample_id" in samples.columns else "stimulus_id")
    return {"sample": ids} | {name: samples.columns[name] for name in ("run", "onset_s") if name in samples.columns}


def _column(values: Any) -> np.ndarray:
    values = np.asarray(values)
    return values.astype(np.float64) if values.dtype.kind in "iuf" else _text(values)


def _text(values: Any) -> np.ndarray:
    return np.array([str(value) for value in values], dtype=object)
