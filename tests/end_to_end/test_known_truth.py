"""What holds by construction of the simulated data, whatever any model does."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold

from brainalign.activations.nulls.registry import compute_null
from brainalign.ceilings.known import known_ceiling
from brainalign.ceilings.subject_pool import subject_pool_ceiling
from brainalign.encoding.encoder import Encoding, encode
from brainalign.encoding.settings import EncoderSettings
from brainalign.responses.samples import Samples
from brainalign.simulation.brain import SimulatedDataset, simulate_passages, simulate_stories
from brainalign.simulation.world import make_world

GROUPED = {"kind": "grouped", "by": "split_group", "folds": 8}
SHUFFLED = {"kind": "shuffle", "folds": 10, "test": 0.1, "seed": 1}
CONTROLLED = EncoderSettings(split=GROUPED, draws=20)
GRID = np.logspace(-4, 8, 13)


@pytest.fixture(scope="module")
def passages() -> SimulatedDataset:
    return simulate_passages(make_world(0), 201)


@pytest.fixture(scope="module")
def stories() -> SimulatedDataset:
    return simulate_stories(make_world(0), 202, stories=8, time_points=60)


def _samples(data: SimulatedDataset) -> Samples:
    table = data.samples.assign(split_group=data.stimuli["split_group"].to_numpy())
    return Samples.from_table(table)


def _neuroids(data: SimulatedDataset) -> dict[str, np.ndarray]:
    table = data.neuroids.rename(columns={"neuroid_id": "neuroid"})
    return {name: table[name].to_numpy(object) for name in table}


def _encode(data: SimulatedDataset, features: np.ndarray, settings: EncoderSettings = CONTROLLED) -> Encoding:
    return encode([("layer", features)], data.responses, _samples(data), _neuroids(data), settings)


def _ceiling(data: SimulatedDataset, settings: EncoderSettings = CONTROLLED) -> float:
    found = known_ceiling(data.noise_free, data.responses, _samples(data), _neuroids(data), settings)
    return float(found.aggregate[0, 0])


@pytest.mark.parametrize("name", ["passages", "stories"])
@pytest.mark.parametrize("split", [GROUPED, SHUFFLED], ids=["grouped", "shuffled"])
def test_the_noise_free_response_as_features_scores_the_ceiling(
    name: str, split: dict[str, object], request: pytest.FixtureRequest
) -> None:
    """Each neuroid is predicted from its own noise-free response: any rising line through it has the ceiling's r."""
    data = request.getfixturevalue(name)
    settings = EncoderSettings(regression="ols", layer="best", split=split, draws=20, precision="float64")
    ceiling = known_ceiling(data.noise_free, data.responses, _samples(data), _neuroids(data), settings)
    neuroids = pd.DataFrame(_neuroids(data))
    for index in range(0, 300, 30):
        own = neuroids.iloc[[index]].to_dict("list")
        features = data.noise_free[:, [index]]
        found = encode([("layer", features)], data.responses[:, [index]], _samples(data), own, settings)
        assert found.aggregate_r[0, 0, 0] == pytest.approx(ceiling.per_neuroid[index], abs=1e-9)


def test_the_true_features_score_what_scikit_learn_scores(passages: SimulatedDataset) -> None:
    """Nested grouped cross-validation with a penalty per neuroid, written out with scikit-learn's Ridge."""
    x, y = passages.features, passages.responses.astype(np.float64)
    groups = passages.stimuli["split_group"].to_numpy()
    folds = [test for _, test in GroupKFold(8).split(x, groups=groups)]
    r = np.empty((8, y.shape[1]))
    scale = ((x - x.mean(axis=0)) ** 2).sum() / len(x)
    for number, test in enumerate(folds):
        train = np.setdiff1d(np.arange(len(x)), test)
        errors = np.zeros((len(GRID), y.shape[1]))
        for held_out in (fold for other, fold in enumerate(folds) if other != number):
            inner = np.setdiff1d(train, held_out)
            for index, penalty in enumerate(GRID):
                fitted = Ridge(penalty * scale).fit(x[inner], y[inner])
                errors[index] += ((y[held_out] - fitted.predict(x[held_out])) ** 2).sum(axis=0)
        best = Ridge(GRID[errors.argmin(axis=0)] * scale).fit(x[train], y[train])
        predicted, observed = best.predict(x[test]), y[test]
        predicted, observed = predicted - predicted.mean(axis=0), observed - observed.mean(axis=0)
        r[number] = (predicted * observed).sum(axis=0) / np.sqrt((predicted**2).sum(axis=0) * (observed**2).sum(axis=0))
    np.testing.assert_allclose(_encode(passages, x).r[0], r, atol=1e-6)


def test_the_gap_of_the_true_features_to_the_ceiling_shrinks_with_n() -> None:
    gaps = []
    for sentences in (384, 1600, 6400):
        data = simulate_passages(make_world(0), 201, passages=sentences // 4)
        gaps.append(1 - _encode(data, data.features).aggregate_r[0, 0, 0] / _ceiling(data))
    assert gaps[0] > gaps[1] > gaps[2] > 0
    assert gaps[2] < 0.03


def test_the_true_features_of_stories_need_delays(stories: SimulatedDataset) -> None:
    delayed = EncoderSettings(split=GROUPED, delays=(1, 2, 3, 4), draws=20)
    ceiling = _ceiling(stories)
    assert _encode(stories, stories.features, delayed).aggregate_r[0, 0, 0] > 0.75 * ceiling
    assert _encode(stories, stories.features).aggregate_r[0, 0, 0] < 0.5 * ceiling


def test_the_subject_pool_ceiling_stands_beside_the_true_one(passages: SimulatedDataset) -> None:
    found = subject_pool_ceiling(
        passages.responses, _samples(passages), _neuroids(passages), CONTROLLED, pools=1, bootstraps=20
    )
    assert found.kind == "subject-pool"
    assert 0 < found.low[0, 0] <= found.aggregate[0, 0] <= found.high[0, 0] <= 1
    assert 0.2 < _ceiling(passages) < 0.8


def test_noise_features_score_nothing_on_average(passages: SimulatedDataset) -> None:
    """Mean r of 80 draws of 10 random features: within 3 standard errors of 0."""
    random = np.random.default_rng(5)
    subset = pd.DataFrame(_neuroids(passages)).iloc[::15]
    responses = passages.responses[:, ::15]
    settings = EncoderSettings(split=GROUPED, draws=2, grid=(1e-2, 1.0, 1e2))
    scores = []
    for _ in range(80):
        features = random.standard_normal((len(responses), 10))
        found = encode([("noise", features)], responses, _samples(passages), subset.to_dict("list"), settings)
        scores.append(found.aggregate_r[0, 0, 0])
    error = np.std(scores, ddof=1) / np.sqrt(len(scores))
    assert abs(np.mean(scores)) < 3 * error
    assert error < 0.016


def test_the_autocorrelation_null_leaks_under_shuffled_splits_only(passages: SimulatedDataset) -> None:
    layers = compute_null("autocorrelation", passages.stimuli, {"sigmas": [0.5, 1.0, 2.0]})
    for features in layers.values():
        shuffled = EncoderSettings(split=SHUFFLED, layer="best", draws=20)
        assert _encode(passages, features, shuffled).aggregate_r[0, 0, 0] > 0.3
        grouped = _encode(passages, features)
        assert grouped.aggregate_r[0, 0, 0] == 0
        assert (grouped.constant_predictions == passages.responses.shape[1]).all()
