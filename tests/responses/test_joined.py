"""Two data sets as one: every number stays with its sample, its neuroid and its stimulus."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from brainalign.encoding.splits import make_folds
from brainalign.errors import InputError
from brainalign.responses.joined import join_responses, join_stimuli
from brainalign.responses.matrix import Responses, identity_map
from brainalign.responses.samples import Samples
from brainalign.responses.stored import StoredResponses, read_responses
from brainalign.storage import Variable, write_arrays

RANDOM = np.random.default_rng(0)


def prepared(
    path: Path, letters: str, n_samples: int, values: np.ndarray | None = None, **further: Any
) -> StoredResponses:
    """Write and read back a data set whose neuroids are letters: subject 1 has a to c, subject 2 the others."""
    ids = list(letters)
    samples = {
        "sample_id": [f"s{row}" for row in range(n_samples)],
        "run": ["1"] * n_samples,
        "split_group": [f"g{row // 2}" for row in range(n_samples)],
    }
    table = {
        "neuroid_id": ids,
        "subject": ["1" if name in "abc" else "2" for name in ids],
        "region": ["whole"] * len(ids),
        "x": [float(ord(name)) for name in ids],
    }
    responses = Responses(
        values=RANDOM.normal(size=(n_samples, len(ids))) if values is None else values,
        samples=pd.DataFrame(samples | further.get("samples", {})),
        neuroids=pd.DataFrame(table | further.get("neuroids", {})),
        stimulus_ids=np.array(further.get("stimuli", samples["sample_id"]), dtype=object),
        **dict(
            zip(("map_sample", "map_stimulus", "map_weight"), further.get("map", identity_map(n_samples)), strict=True)
        ),
        extra=further.get("extra", {}),
    )
    write_arrays(path, responses.variables(), {"simulated": 0})
    return read_responses(path)


def again(path: Path, joined: Responses) -> StoredResponses:
    write_arrays(path, joined.variables(), {"simulated": 0})
    return read_responses(path)


def test_responses_are_stacked_over_the_neuroids_that_all_have(tmp_path):
    one, two = prepared(tmp_path / "one.h5", "abcd", 6), prepared(tmp_path / "two.h5", "dxba", 4)
    joined = again(tmp_path / "both.h5", join_responses({"one": one, "two": two}))
    assert joined.neuroids["neuroid"].tolist() == ["a", "b", "d"]
    assert joined.neuroids["subject"].tolist() == ["1", "1", "2"]
    np.testing.assert_array_equal(joined.values[:6], one.values[:, [0, 1, 3]])
    np.testing.assert_array_equal(joined.values[6:], two.values[:, [3, 2, 0]])


def test_neuroids_that_are_not_shared_are_counted(tmp_path, caplog):
    one, two = prepared(tmp_path / "one.h5", "abcd", 6), prepared(tmp_path / "two.h5", "dxba", 4)
    with caplog.at_level(logging.WARNING):
        joined = join_responses({"one": replace(one, facts={"left_out": "2 of 6 neuroids dropped"}), "two": two})
    assert caplog.messages == [
        "one: 3 of 4 neuroids are in all joined data sets",
        "two: 3 of 4 neuroids are in all joined data sets",
    ]
    assert joined.facts == {
        "left_out": "one: 2 of 6 neuroids dropped; one: 1 of 4 neuroids dropped (not in all joined data sets); "
        "two: 1 of 4 neuroids dropped (not in all joined data sets)"
    }
    assert not join_responses({"one": one, "two": prepared(tmp_path / "three.h5", "abcd", 3)}).facts


def test_ids_groups_and_runs_are_told_apart_and_further_columns_are_not(tmp_path):
    one = prepared(tmp_path / "one.h5", "ab", 4, samples={"topic": list("uuvv"), "only": list("wxyz")})
    two = prepared(tmp_path / "two.h5", "ab", 2, samples={"topic": list("vu")})
    samples = join_responses({"one": one, "two": two}).samples
    assert samples.to_dict("list") == {
        "sample_id": ["one/s0", "one/s1", "one/s2", "one/s3", "two/s0", "two/s1"],
        "run": ["one/1"] * 4 + ["two/1"] * 2,
        "split_group": ["one/g0", "one/g0", "one/g1", "one/g1", "two/g0", "two/g0"],
        "topic": list("uuvvvu"),
        "dataset": ["one"] * 4 + ["two"] * 2,
    }


def test_features_of_the_joined_samples_are_those_of_each_data_set(tmp_path):
    words = (np.array([0, 0, 1, 3]), np.array([0, 1, 2, 2]), np.array([0.5, 0.5, 1.0, 2.0]))
    one = prepared(tmp_path / "one.h5", "ab", 4, map=words, stimuli=["u", "v", "w"])
    two = prepared(tmp_path / "two.h5", "ab", 3)
    joined = again(tmp_path / "both.h5", join_responses({"one": one, "two": two}))
    assert joined.stimulus_ids.tolist() == ["one/u", "one/v", "one/w", "two/s0", "two/s1", "two/s2"]
    of_one, of_two = RANDOM.normal(size=(3, 5)), RANDOM.normal(size=(3, 5))
    expected = np.concatenate([one.features_of_samples(of_one), two.features_of_samples(of_two)])
    np.testing.assert_allclose(joined.features_of_samples(np.concatenate([of_one, of_two])), expected)


def test_train_on_one_test_on_the_other(tmp_path):
    one, two = prepared(tmp_path / "one.h5", "ab", 30), prepared(tmp_path / "two.h5", "ab", 24)
    samples = Samples.from_table(join_responses({"one": one, "two": two}).samples)
    (fold,) = make_folds({"kind": "fixed", "column": "dataset", "train": "two", "test": "one"}, samples)
    np.testing.assert_array_equal(fold.train, np.arange(30, 54))
    np.testing.assert_array_equal(fold.test, np.arange(30))


def test_repetitions_are_filled_up_with_nothing(tmp_path):
    repeated = RANDOM.normal(size=(3, 4, 2))
    one, two = prepared(tmp_path / "one.h5", "ab", 4, values=repeated), prepared(tmp_path / "two.h5", "ba", 2)
    joined = join_responses({"one": one, "two": two})
    assert joined.values.shape == (3, 6, 2)
    np.testing.assert_array_equal(joined.values[:, :4], one.values)
    np.testing.assert_array_equal(joined.values[0, 4:], two.values[:, [1, 0]])
    assert np.isnan(joined.values[1:, 4:]).all()
    np.testing.assert_allclose(
        np.nanmean(again(tmp_path / "both.h5", joined).values, axis=0)[:4], repeated.mean(axis=0), rtol=1e-6, atol=1e-7
    )


def test_what_differs_between_data_sets_is_no_property_of_a_neuroid(tmp_path):
    one = prepared(tmp_path / "one.h5", "ab", 4, neuroids={"ceiling": [0.5, 0.6]})
    two = prepared(tmp_path / "two.h5", "ab", 4, neuroids={"ceiling": [0.5, 0.7]})
    assert list(join_responses({"one": one, "two": two}).neuroids) == ["neuroid_id", "subject", "region", "x"]


def test_noise_free_responses_are_joined_where_all_have_them(tmp_path):
    truth = RANDOM.normal(size=(4, 2)).astype(np.float32)
    extra = {"noise_free": Variable(("sample", "neuroid"), truth)}
    one, two = (prepared(tmp_path / f"{name}.h5", name, 4, extra=extra) for name in ("ab", "ba"))
    three = prepared(tmp_path / "three.h5", "ab", 4)
    noise_free = join_responses({"one": one, "two": two}).extra["noise_free"].values
    np.testing.assert_array_equal(noise_free, np.concatenate([truth, truth[:, ::-1]]))
    assert not join_responses({"one": one, "three": three}).extra


def test_stimuli_are_stacked_with_the_ids_of_the_responses():
    first = pd.DataFrame({"stimulus_id": ["1", "2"], "text": ["a", "b"], "context_group": "p", "split_group": "t"})
    second = pd.DataFrame({"stimulus_id": ["1"], "text": ["c"], "context_group": "p", "split_group": "t", "words": 3})
    assert join_stimuli({"one": first, "two": second}).to_dict("list") == {
        "stimulus_id": ["one/1", "one/2", "two/1"],
        "text": ["a", "b", "c"],
        "context_group": ["one/p", "one/p", "two/p"],
        "split_group": ["one/t", "one/t", "two/t"],
        "dataset": ["one", "one", "two"],
    }


@pytest.mark.parametrize(
    ("second", "sentence"),
    [
        ({"letters": "xyz"}, "the data sets 'one', 'two' have no neuroid in common; ids must be equal."),
        (
            {"letters": "ab", "neuroids": {"region": ["whole", "IFG"]}},
            "the neuroid 'b' has the region 'whole' in the data set 'one', but 'IFG' in 'two'.",
        ),
        (
            {"letters": "ab", "samples": {"onset_s": [0.0, 2.0]}},
            "the data set 'two' is a series with onsets and 'one' is not; delays could not be the same.",
        ),
        (
            {"letters": "ab", "samples": {"dataset": ["x", "x"]}},
            "the data set 'two' has a column 'dataset' already; only data sets not joined join.",
        ),
    ],
)
def test_data_sets_that_do_not_fit_are_told(second, sentence, tmp_path):
    one = prepared(tmp_path / "one.h5", "abc", 2)
    two = prepared(tmp_path / "two.h5", **second, n_samples=2)
    with pytest.raises(InputError) as caught:
        join_responses({"one": one, "two": two})
    assert str(caught.value) == sentence


def test_one_data_set_is_not_joined(tmp_path):
    with pytest.raises(InputError, match="joining needs at least 2 data sets, but is given 1"):
        join_responses({"one": prepared(tmp_path / "one.h5", "ab", 2)})
    with pytest.raises(InputError, match="joining needs at least 2 data sets, but is given 0"):
        join_stimuli({})
