"""The slow twin of Brain-Score's ridge, checked by refits that leave out one row at a time."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from encoding.published.brain_score_ridge import PENALTIES, brain_score_ridge
from encoding.published.inputs import sentences
from encoding.published.scores import pearson


@pytest.mark.parametrize("width", [20, 120])
def test_it_is_ridge_at_the_penalty_of_least_leave_one_out_error(width):
    data = sentences(topics=10, each=6, width=width)
    published = brain_score_ridge(data.features, data.responses, data.story, n_folds=5)
    topics = np.unique(data.story.astype(str))
    dealt = np.array_split(np.random.RandomState(1234).permutation(10), 5)
    for fold, held_out in enumerate(dealt):
        test = np.flatnonzero(np.isin(data.story, topics[held_out]))
        train = np.setdiff1d(np.arange(60), test)
        x, y = data.features[train], data.responses[train]
        errors = []
        for penalty in PENALTIES:
            rest = [np.delete(np.arange(len(train)), row) for row in range(len(train))]
            residuals = [
                y[row] - Ridge(penalty).fit(x[others], y[others]).predict(x[row : row + 1])[0]
                for row, others in enumerate(rest)
            ]
            errors.append(np.mean(np.square(residuals)))
        best = PENALTIES[np.argmin(errors)]
        assert np.all(published.penalty[fold] == best)
        prediction = Ridge(best).fit(x, y).predict(data.features[test])
        np.testing.assert_allclose(published.r[fold], pearson(prediction, data.responses[test]), atol=1e-6)
    assert published.score == pytest.approx(np.mean(np.median(published.r, axis=1)))


def test_ten_folds_of_whole_stories_recover_a_signal_and_not_noise():
    data = sentences()
    published = brain_score_ridge(data.features, data.responses, data.story)
    assert published.r.shape == published.penalty.shape == (10, 12)
    assert published.score > 0.2
    noise = np.random.default_rng(1).normal(size=(192, 40))
    assert abs(brain_score_ridge(noise, data.responses, data.story).score) < 0.1
