import numpy as np
import pandas as pd
import pytest

from brainalign.simulation.brain import simulate_passages, simulate_stories
from brainalign.simulation.source_files import write_source


@pytest.fixture(scope="module")
def passages(world):
    return simulate_passages(world, 1, passages=6, subjects=2, neuroids=4)


@pytest.fixture(scope="module")
def stories(world):
    return simulate_stories(world, 1, stories=2, time_points=10, subjects=2, neuroids=4)


def test_what_is_read_back_is_what_was_simulated(stories, tmp_path):
    write_source(stories, tmp_path / "a folder")
    read = {path.name: pd.read_csv(path) for path in (tmp_path / "a folder").glob("*.csv")}
    pd.testing.assert_frame_equal(read["stimuli.csv"], stories.stimuli, check_dtype=False)
    pd.testing.assert_frame_equal(read["neuroids.csv"], stories.neuroids, check_dtype=False)
    pd.testing.assert_frame_equal(read["samples.csv"], stories.samples, check_dtype=False)
    truth = read["true_features.csv"].set_index("stimulus_id")
    assert list(truth.index) == list(stories.stimuli["stimulus_id"])
    assert tuple(truth.columns) == stories.feature_names
    np.testing.assert_allclose(truth.to_numpy(), stories.features, rtol=1e-12)
    for name in ("responses", "noise_free"):
        values = np.load(tmp_path / "a folder" / f"{name}.npy", allow_pickle=False)
        assert values.dtype == np.float32
        np.testing.assert_array_equal(values, getattr(stories, name))


def test_files_are_those_of_the_kind_of_data_set(passages, stories, tmp_path):
    common = {"stimuli.csv", "neuroids.csv", "true_features.csv", "responses.npy", "noise_free.npy"}
    assert {path.name for path in write_source(passages, tmp_path / "passages")} == common
    assert {path.name for path in write_source(stories, tmp_path / "stories")} == common | {"samples.csv"}
    assert {path.name for path in (tmp_path / "passages").iterdir()} == common  # nothing temporary is left


def test_equal_data_sets_give_equal_bytes(world, passages, tmp_path):
    again = simulate_passages(world, 1, passages=6, subjects=2, neuroids=4)
    for one, other in zip(
        write_source(passages, tmp_path / "one"), write_source(again, tmp_path / "other"), strict=True
    ):
        assert one.read_bytes() == other.read_bytes()
