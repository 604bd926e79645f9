"""A simulated data set as plain files, in the form in which a user would bring their own."""

from pathlib import Path

import numpy as np
import pandas as pd

from brainalign.simulation.brain import SimulatedDataset
from brainalign.storage import replacing, write_text


def write_source(dataset: SimulatedDataset, folder: Path) -> list[Path]:
    """Write the files of a data set into a folder, made where it is missing; each file whole or not at all.

    stimuli.csv        the stimuli in presentation order
    responses.npy      array of shape (samples, neuroids), float32
    noise_free.npy     the same shape and scale, without the noise
    neuroids.csv       neuroid_id, subject, region
    samples.csv        sample_id, run, onset_s; only where samples have onsets (stories)
    true_features.csv  stimulus_id and one column per feature of the world, before any convolution

    Returns
    -------
    the paths written. Equal data sets give equal bytes.
    """
    folder = Path(folder)
    truth = pd.DataFrame(dataset.features, columns=list(dataset.feature_names))
    truth.insert(0, "stimulus_id", dataset.stimuli["stimulus_id"].to_numpy())
    tables = {"stimuli.csv": dataset.stimuli, "neuroids.csv": dataset.neuroids, "true_features.csv": truth}
    if "onset_s" in dataset.samples:
        tables["samples.csv"] = dataset.samples
    arrays = {"responses.npy": dataset.responses, "noise_free.npy": dataset.noise_free}
    for name, table in tables.items():
        write_text(folder / name, table.to_csv(index=False, lineterminator="\n"))
    for name, values in arrays.items():
        _write_array(folder / name, values)
    return [folder / name for name in (*tables, *arrays)]


def _write_array(path: Path, values: np.ndarray) -> None:
    with replacing(path) as temporary, temporary.open("wb") as file:  # np.save appends .npy to a name, not to a file
        np.save(file, values, allow_pickle=False)
