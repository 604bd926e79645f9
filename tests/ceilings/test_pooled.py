"""Ceilings from predictions are scored as a model is where the predictions of all folds are pooled."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from brainalign.ceilings.known import known_ceiling
from brainalign.ceilings.other_subjects import leave_one_subject_out_ceiling, other_subjects
from brainalign.ceilings.pool_scores import curves_over_groups
from brainalign.ceilings.pools import balanced_scores
from brainalign.ceilings.shifted import shifted_targets
from brainalign.encoding.encoder import encode
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.splits import make_folds

SETTINGS = EncoderSettings(
    split={"kind": "leave-one-group-out", "small_folds": "pool"}, draws=200, penalties=1e-3, precision="float64"
)


@pytest.fixture
def passages(shared: Any) -> Any:
    """Eight passages of other means, so that what is added to a fold's predictions shows in r."""
    passage = np.repeat(np.arange(8), 20)
    means = np.random.default_rng(2).normal(size=(8, 1))[passage]
    samples = replace(shared.samples, columns={"split_group": passage.astype(str)})
    return replace(shared, responses=shared.responses + means, noise_free=shared.noise_free + means, samples=samples)


def test_the_known_ceiling_is_the_score_of_the_noise_free_response(passages: Any) -> None:
    ceiling = known_ceiling(passages.noise_free, passages.responses, passages.samples, passages.neuroids, SETTINGS)
    signal, y = passages.noise_free, passages.responses
    deviation = np.empty_like(signal)
    for fold in make_folds(SETTINGS.split, passages.samples):
        deviation[fold.test] = signal[fold.test] - signal[fold.train].mean(axis=0)
    r = [np.corrcoef(deviation[:, v], y[:, v])[0, 1] for v in range(24)]
    np.testing.assert_allclose(ceiling.per_neuroid, r, atol=1e-9)
    one = {name: values[:1] for name, values in passages.neuroids.items()}
    truth = [("truth", signal[:, :1])]
    # where there is no noise the model is the truth itself; else it is above it by no more than its fit is uncertain
    exact = encode(truth, signal[:, :1], passages.samples, one, replace(SETTINGS, penalties=1e-9))
    alone = known_ceiling(signal[:, :1], signal[:, :1], passages.samples, one, SETTINGS)
    np.testing.assert_allclose(exact.aggregate_r[0], alone.aggregate, atol=1e-6)
    noisy = encode(truth, y[:, :1], passages.samples, one, SETTINGS)
    assert abs(noisy.aggregate_r[0, 0, 0] - ceiling.per_neuroid[0]) < 0.02
    assert ceiling.per_neuroid_low is not None
    assert (ceiling.per_neuroid_low < ceiling.per_neuroid).all()


def test_ceilings_from_other_subjects_are_the_score_of_their_responses_as_features(passages: Any) -> None:
    ceiling = leave_one_subject_out_ceiling(passages.responses, passages.samples, passages.neuroids, SETTINGS)
    data = other_subjects(passages.responses, passages.samples, passages.neuroids, SETTINGS, least=2)
    random = np.random.default_rng(0)
    asked = balanced_scores(6, 1, random)  # the largest pools are all other subjects
    curves, _ = curves_over_groups(asked, data, shifted_targets(data, 0, random), 20, 0)
    subjects = passages.neuroids["subject"]
    for subject in np.unique(subjects):
        own = subjects == subject
        neuroids = {name: values[own] for name, values in passages.neuroids.items()}
        layers = [("others", passages.responses[:, ~own])]
        model = encode(layers, passages.responses[:, own], passages.samples, neuroids, SETTINGS)
        np.testing.assert_allclose(ceiling.per_neuroid[own], model.r[0, 0], atol=1e-9)
        assert curves.mean is not None
        np.testing.assert_allclose(curves.mean[-1, own], model.r[0, 0], atol=1e-9)
    assert ceiling.per_neuroid_low is not None
    middle = ceiling.replicates[:, 0, 0].mean() if ceiling.replicates is not None else np.nan
    assert abs(middle - ceiling.aggregate[0, 0]) < 0.05
    assert (ceiling.per_neuroid_low < ceiling.per_neuroid).mean() > 0.9
