"""Layers x subjects x regions: what is averaged, pooled, shifted, left out, refused; and what groups must not do."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from brainalign.errors import InputError
from brainalign.similarity.measure import Similarity, measure
from brainalign.similarity.preparation import paired_rows
from brainalign.similarity.settings import KINDS, METRICS, SimilaritySettings
from similarity.conftest import labels_of, neuroids_of, samples_of

LABELS = labels_of([4] * 12)
NEUROIDS = neuroids_of(["S1"] * 5 + ["S2"] * 6, ["a"] * 5 + ["a"] * 5 + ["b"])


def world(seed: int = 0, n: int = 48, noise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    x = random.normal(size=(n, 10))
    return x, x @ random.normal(size=(10, 11)) / 3 + noise * random.normal(size=(n, 11))


def rsa(x: np.ndarray, y: np.ndarray, labels: np.ndarray) -> float:
    i, j = np.nonzero(np.triu(labels[:, None] != labels, k=1))
    return float(spearmanr((1 - np.corrcoef(x))[i, j], (1 - np.corrcoef(y))[i, j]).statistic)


def measured(x: np.ndarray, y: np.ndarray, settings: SimilaritySettings, labels: np.ndarray = LABELS) -> Similarity:
    return measure([("one", x), ("two", x[:, :4])], y, samples_of(labels), NEUROIDS, settings)


def test_a_cell_is_of_its_neuroids_and_all_is_the_mean_over_subjects():
    x, y = world()
    found = measured(x, y, SimilaritySettings("rsa", draws=50))
    assert (found.layers, found.subjects, found.regions) == (("one", "two"), ("all", "S1", "S2"), ("all", "a", "b"))
    one = found.value[0]
    assert one[1, 0] == one[1, 1] == pytest.approx(rsa(x, y[:, :5], LABELS))
    assert one[2, 0] == pytest.approx(rsa(x, y[:, 5:], LABELS))
    assert one[2, 1] == pytest.approx(rsa(x, y[:, 5:10], LABELS))
    assert found.value[1, 1, 1] == pytest.approx(rsa(x[:, :4], y[:, :5], LABELS))
    assert one[0, :2] == pytest.approx(one[1:, :2].mean(axis=0))
    assert found.neuroids.tolist() == [[11, 10, 1], [5, 5, 0], [6, 5, 1]]
    assert (found.samples, found.groups, found.width) == (48, 12, (10, 4))
    assert (found.low[0, :, :2] < one[:, :2]).all()
    assert (found.high[0, :, :2] > one[:, :2]).all()
    assert (found.draws[0, :, :2] == 50).all()


def test_an_undefined_cell_has_a_reason_and_no_number():
    x, y = world()
    found = measured(x, y, SimilaritySettings("rsa", draws=20))
    reason = "the responses have 1 unit, but correlation distances need 3"
    assert found.reason[0, :, 2].tolist() == [reason, "", reason]  # S1 has no neuroid there
    assert np.isnan(found.value[:, :, 2]).all()
    assert np.isnan(found.low[:, :, 2]).all()
    assert (found.draws[:, :, 2] == 0).all()
    assert (found.reason[:, :, :2] == "").all()


def test_a_mean_says_what_it_leaves_out():
    x, y = world()
    neuroids = neuroids_of(["S1"] * 5 + ["S2"] * 5 + ["S3"], ["a"] * 11)
    found = measure([("one", x)], y, samples_of(LABELS), neuroids, SimilaritySettings("rsa", draws=20))
    assert found.reason[0, 0].tolist() == ["mean over 2 of 3 subjects, the others undefined"] * 2
    assert found.value[0, 0, 0] == pytest.approx(found.value[0, 1:3, 0].mean())


def test_features_that_are_not_comparable_empty_their_layer_alone():
    x, y = world()
    x[7] = 2.0
    layers = [("flat", x), ("fine", np.where(np.arange(48)[:, None] == 7, world(1)[0], x)), ("null", x[:, :1])]
    found = measure(layers, y, samples_of(LABELS), NEUROIDS, SimilaritySettings("rsa", draws=20))
    assert np.isnan(found.value[0]).all()
    assert set(found.reason[0].ravel()) == {"1 of 48 samples have the same value in every unit of the features", ""}
    assert np.isfinite(found.value[1:, 0, 0]).all()
    assert found.distance == ("", "correlation", "euclidean")


def test_as_published_all_subjects_are_one_population():
    x, y = world()
    settings = SimilaritySettings("cka", "as-published", folds=3, draws=20)
    found = measured(x, y, settings)
    pooled = measure([("one", x)], y, samples_of(LABELS), neuroids_of(["S"] * 11, ["a"] * 11), settings)
    assert found.value[0, 0, 0] == pytest.approx(pooled.value[0, 1, 0])
    assert found.value[0, 0, 0] != pytest.approx(found.value[0, 1:, 0].mean(), abs=1e-6)
    assert np.isfinite(found.value[0, 2, 2])  # one neuroid is enough for a Gram matrix


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_planted_relation_is_recovered_with_its_interval(metric, kind):
    x, y = world(noise=0.3)
    found = measured(x, y, SimilaritySettings(metric, kind, folds=3, draws=200))
    unrelated = measured(world(9)[0], y, SimilaritySettings(metric, kind, folds=3, draws=200))
    assert (found.value[0, :, 0] > 0.4).all()
    assert (found.low[0, :, 0] > 0).all()
    assert found.low[0, 0, 0] > unrelated.high[0, 0, 0]


def test_noise_that_groups_share_is_no_similarity_where_controlled():
    # Features and responses are each alike inside groups, and have nothing to do with one another.
    scores: dict[tuple[str, str], list[float]] = {(metric, kind): [] for metric in METRICS for kind in KINDS}
    labels = np.arange(10).repeat(4).astype(str)
    neuroids = neuroids_of(["S1"] * 8, ["a"] * 8)
    for seed in range(150):
        random = np.random.default_rng(seed)
        x, y = (
            random.normal(size=(10, width)).repeat(4, axis=0) + 0.7 * random.normal(size=(40, width))
            for width in (12, 8)
        )
        for (metric, kind), found in scores.items():
            settings = SimilaritySettings(metric, kind, folds=2, draws=1)
            found.append(measure([("x", x)], y, samples_of(labels), neuroids, settings).value[0, 1, 0])
    for (metric, kind), found in scores.items():
        mean, error = np.mean(found), np.std(found) / np.sqrt(len(found))
        if kind == "controlled":
            assert abs(mean) < 3 * error, (metric, mean, error)
            assert error < 0.02
        else:
            assert mean > 0.05, (metric, mean, error)
            assert mean > 10 * error


def test_a_delay_shifts_features_within_runs():
    random = np.random.default_rng(0)
    run = np.repeat(["r1", "r2"], 40).astype(object)
    group = np.repeat([f"g{number}" for number in range(8)], 10)
    x = random.normal(size=(80, 6))
    y, weights = np.zeros((80, 11)), random.normal(size=(6, 11))
    for start in (0, 40):
        y[start + 2 : start + 40] = x[start : start + 38] @ weights
    y += 0.1 * random.normal(size=y.shape)
    series = samples_of(group, run=run, onset_s=np.tile(np.arange(40.0), 2))
    found = {
        delay: measure([("x", x)], y, series, NEUROIDS, SimilaritySettings("cka", draws=20, delay=delay))
        for delay in (0, 1, 2)
    }
    assert found[2].value[0, 0, 0] > 0.5
    assert max(found[0].value[0, 0, 0], found[1].value[0, 0, 0]) < 0.2
    assert found[2].samples == 80 - 8 * 2
    single = measure([("x", x)], y, samples_of(group), NEUROIDS, SimilaritySettings("cka", draws=20, delay=2))
    assert single.value[0, 0, 0] == found[0].value[0, 0, 0]


def test_rows_are_paired_within_runs_and_groups_and_only_where_there_are_features():
    series = samples_of(
        np.array(["a", "a", "a", "b", "b", "c", "c", "c"]),
        run=np.array(["1"] * 5 + ["2"] * 3, dtype=object),
        onset_s=np.array([0.0, 2, 4, 6, 8, 0, 2, 4]),
    )
    mapped = np.array([1, 1, 1, 1, 1, 0, 1, 1], dtype=bool)
    features, responses = paired_rows(series, mapped, 1)
    assert features.tolist() == [0, 1, 3, 6]
    assert responses.tolist() == [1, 2, 4, 7]
    assert paired_rows(series, mapped, 0)[0].tolist() == [0, 1, 2, 3, 4, 6, 7]
    assert paired_rows(series, None, 0)[1].tolist() == list(range(8))
    with pytest.raises(InputError, match="no sample is left to compare, of 8, after a delay of 5 samples"):
        paired_rows(series, None, 5)


def test_repetitions_are_averaged_and_the_order_of_samples_does_not_matter():
    x, y = world()
    settings = SimilaritySettings("cka", draws=30)
    once = measured(x, y, settings)
    noise = np.random.default_rng(1).normal(size=y.shape)
    repeated = np.stack([y + noise, np.full_like(y, np.nan), y - noise])
    order = np.random.default_rng(2).permutation(48)
    for again in (measured(x, repeated, settings), measured(x[order], y[order], settings, LABELS[order])):
        np.testing.assert_allclose(again.value, once.value, rtol=1e-9)
        np.testing.assert_allclose(again.low, once.low, rtol=1e-9)


def test_few_groups_have_values_and_no_interval():
    x, y = world()
    found = measured(x, y, SimilaritySettings("rsa", draws=30), labels_of([16, 16, 16]))
    assert np.isfinite(found.value[0, 0, 0])
    assert np.isnan(found.low[0, 0, 0])
    assert found.draws[0, 0, 0] == 0
    assert (found.reason[0, :, 0] == "").all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("features nan", "layer 'one' has 1 NaN or infinite values of 480."),
        ("features short", "layer 'one' has shape (47, 10), but there are 48 samples."),
        ("responses nan", "1 of 11 neuroids have NaN or infinite responses, the first is 'n3'."),
        ("responses short", "the responses have shape (48, 10), but there are 48 samples and 11 neuroids."),
        ("no layer", "there is no layer to compare."),
    ],
)
def test_wrong_input_is_refused_in_one_sentence(change, message):
    x, y = world()
    if change == "features nan":
        x[3, 3] = np.inf
    if change == "features short":
        x = x[:-1]
    if change == "responses nan":
        y[3, 3] = np.nan
    if change == "responses short":
        y = y[:, :-1]
    layers = [] if change == "no layer" else [("one", x)]
    with pytest.raises(InputError) as caught:
        measure(layers, y, samples_of(LABELS), NEUROIDS, SimilaritySettings("rsa", draws=5))
    assert str(caught.value) == message
