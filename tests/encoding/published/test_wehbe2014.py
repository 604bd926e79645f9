"""The slow twin of the Wehbe2014 pipeline, each step checked by hand and the whole on a story with a known signal."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold

from encoding.published import wehbe2014
from encoding.published.inputs import sample_map, story
from encoding.published.scores import pearson, zscore

RANDOM = np.random.default_rng(0)


def inputs(data, **changes):
    kept = wehbe2014.kept_scans(data.scan_run, (20, 15))
    given = {
        "word_features": data.word_features,
        "word_time_s": data.word_time_s,
        "scan_time_s": data.scan_time_s,
        "scan_run": data.scan_run,
        "responses": data.responses[kept],
    }
    return given | changes


def test_a_word_is_of_the_last_scan_that_began_before_it():
    scan_time_s = np.array([0.0, 2.0, 4.0, 6.0])
    words = np.array([0.5, 1.5, 2.0, 2.5, 4.0, 5.5, 9.0])
    assert wehbe2014.scans_of_words(words, scan_time_s).tolist() == [0, 0, 0, 1, 1, 2, 3]
    weights = sample_map(words, scan_time_s)
    assert weights.tolist() == [
        [1 / 3] * 3 + [0.0] * 4,
        [0.0] * 3 + [0.5] * 2 + [0.0] * 2,
        [0.0] * 5 + [1.0, 0.0],
        [0.0] * 6 + [1.0],
    ]


def test_scans_are_dropped_at_both_ends_of_each_run():
    runs = np.repeat([1, 2], [6, 5])
    assert wehbe2014.kept_scans(runs, (2, 1)).tolist() == [2, 3, 4, 8, 9]


def test_blocks_are_those_of_the_published_data():
    assert [len(rows) for rows in wehbe2014.blocks(1211, 4)] == [302, 302, 302, 305]
    np.testing.assert_array_equal(np.concatenate(wehbe2014.blocks(1211, 4)), np.arange(1211))


def test_the_words_of_training_scans_are_off_by_one_as_published():
    runs = np.repeat([1, 2], [6, 6])  # kept: 2, 3, 4, 8, 9, 10
    scan_of_word = np.arange(12)
    training = np.array([True, False, False, False, True, True])  # of the scans 2, 9 and 10
    own = wehbe2014.words_of_training(scan_of_word, runs, training, (2, 1), "own scan")
    assert np.flatnonzero(own).tolist() == [2, 9, 10]
    # A scan looks up row scan - 2 - 1 in run 1, scan - 5 - 1 in run 2; from the end below 0; none after scan 11.
    looked_up = [-3, -2, -1, 0, 1, 2, 0, 1, 2, 3, 4, 5]
    published = wehbe2014.words_of_training(scan_of_word, runs, training, (2, 1), "published")
    assert published.tolist() == [bool(training[row]) for row in looked_up]
    later = wehbe2014.words_of_training(scan_of_word, runs, training, (2, 3), "published")
    assert not later[10:].any()


def test_features_are_means_delayed_trimmed_and_z_scored_within_runs():
    runs = np.repeat([1, 2], [8, 8])
    scan_of_word = np.repeat(np.arange(16), 2)
    words = RANDOM.normal(size=(32, 3))
    features = wehbe2014.features_of_scans(words, scan_of_word, runs, (1, 2), (2, 1))
    means = (words[::2] + words[1::2]) / 2
    first = np.hstack([means[1:6], means[0:5]])  # scans 2 to 6, one and two scans before
    second = np.hstack([means[9:14], means[8:13]])
    expected = [(rows - rows.mean(axis=0)) / rows.std(axis=0) for rows in (first, second)]
    np.testing.assert_allclose(features, np.vstack(expected), atol=1e-12)


def test_a_scan_without_words_makes_its_columns_nothing_in_its_run():
    runs = np.repeat([1, 2], [8, 8])
    scan_of_word = np.delete(np.repeat(np.arange(16), 2), [6, 7])  # none in scan 3
    words = RANDOM.normal(size=(30, 3))
    features = wehbe2014.features_of_scans(words, scan_of_word, runs, (1, 5), (2, 1))
    assert np.all(features[:5, :3] == 0)  # scan 4 would take those of scan 3
    assert np.all(features[:5, 3:].std(axis=0) > 0)  # no kept scan of run 1 lies five scans after it
    assert np.all(features[5:].std(axis=0) > 0)


@pytest.mark.parametrize(
    ("number", "train", "test"),
    [
        (0, [5, 6, 7, 8, 9, 10, 11], [0, 1, 2, 3]),
        (1, [0, 1, 2, 3, 8, 9, 10, 11], [5, 6]),
        (2, [0, 1, 2, 3, 4, 5, 6], [8, 9, 10, 11]),
    ],
)
def test_the_gap_is_of_the_training_rows_at_the_ends_and_of_the_test_rows_between(number, train, test):
    block = np.arange(4 * number, 4 * number + 4)
    found = wehbe2014.drop_at_borders(np.setdiff1d(np.arange(12), block), block, number, 3, 1)
    assert tuple(rows.tolist() for rows in found) == (train, test)


def test_penalties_are_those_of_scikit_learn_ridge_and_r2_voxel_by_voxel():
    x = zscore(RANDOM.normal(size=(70, 12)))
    y = zscore(x[:, :5] @ RANDOM.normal(size=(5, 6)) * np.linspace(0, 1, 6) + 2 * RANDOM.normal(size=(70, 6)))
    penalties = 10.0 ** np.arange(-2, 6)
    expected = []
    for voxel in range(6):
        costs = []
        for penalty in penalties:
            scores = []
            for train, held_out in KFold(10).split(x):
                model = Ridge(penalty, fit_intercept=False).fit(x[train], y[train, voxel])
                scores.append(r2_score(y[held_out, voxel], model.predict(x[held_out])))
            costs.append(np.mean(1 - np.array(scores)))
        expected.append(penalties[np.argmin(costs)])
    assert len(set(expected)) > 1
    np.testing.assert_array_equal(wehbe2014.choose_penalties(x, y, penalties, 10), expected)


def test_weights_are_those_of_ridge_without_an_intercept():
    x, y = RANDOM.normal(size=(30, 8)) + 1, RANDOM.normal(size=(30, 4))
    expected = Ridge(3.0, fit_intercept=False, solver="svd").fit(x, y).coef_.T
    np.testing.assert_allclose(wehbe2014.ridge(x, y, 3.0), expected, atol=1e-10)


@pytest.mark.parametrize("rule", ["published", "own scan"])
def test_a_fold_is_what_its_steps_give(rule):
    data = story(voxels=3)
    given = inputs(data, training_words=rule)
    published = wehbe2014.wehbe2014(**given)
    assert published.r.shape == published.penalty.shape == (4, 3)
    y = given["responses"]  # 160 scans: the second fold is tested on 45 to 74
    train = np.r_[0:40, 80:160]
    scan_of_word = np.searchsorted(data.scan_time_s, data.word_time_s) - 1
    in_training = np.isin(np.arange(160), train)
    taken = wehbe2014.words_of_training(scan_of_word, data.scan_run, in_training, (20, 15), rule)
    centre = data.word_features[taken].mean(axis=0)
    axes = np.linalg.svd(data.word_features[taken] - centre, full_matrices=False)[2][:10].T
    scans = sample_map(data.word_time_s, data.scan_time_s) @ ((data.word_features - centre) @ axes)
    delayed = np.hstack([np.roll(scans, delay, axis=0) for delay in (1, 2, 3, 4)])
    x = np.vstack([zscore(delayed[run * 75 + 20 : run * 75 + 60]) for run in range(4)])
    x_train, x_test, y_train, y_test = (zscore(part) for part in (x[train], x[45:75], y[train], y[45:75]))
    for voxel in range(3):
        penalty = published.penalty[1, voxel]
        model = Ridge(penalty, fit_intercept=False, solver="svd").fit(x_train, y_train[:, voxel])
        r = np.corrcoef(model.predict(x_test), y_test[:, voxel])[0, 1]
        assert published.r[1, voxel] == pytest.approx(r, abs=1e-8)
    assert published.score == pytest.approx(published.r.mean())


def test_a_signal_is_recovered_and_noise_is_not():
    data = story(scans_per_run=135)
    published = wehbe2014.wehbe2014(**inputs(data))
    kept = wehbe2014.kept_scans(data.scan_run, (20, 15))
    best = pearson(data.signal[kept], data.responses[kept])
    clear = best > 0.5
    assert clear.sum() > 2
    assert np.all(published.r.mean(axis=0)[clear] > 0.75 * best[clear])
    assert np.all(published.r.mean(axis=0) < best + 0.15)
    noise = RANDOM.normal(size=data.word_features.shape)
    assert abs(wehbe2014.wehbe2014(**inputs(data, word_features=noise)).score) < 0.1
