from typing import Any

import numpy as np
import pytest
from scipy.stats import pearsonr

from brainalign.ceilings.given import given_ceiling
from brainalign.ceilings.known import known_ceiling
from brainalign.ceilings.stored import ceiling_variables
from brainalign.encoding.encoder import encode
from brainalign.encoding.scores import Units, over_neuroids
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.splits import make_folds
from brainalign.errors import InputError

SETTINGS = EncoderSettings(split={"kind": "grouped", "folds": 5}, draws=60, precision="float64")


def test_known_ceiling_is_r_of_the_noise_free_response_on_the_test_rows(shared: Any) -> None:
    ceiling = known_ceiling(shared.noise_free, shared.responses, shared.samples, shared.neuroids, SETTINGS)
    folds = make_folds(SETTINGS.split, shared.samples)
    r = np.array(
        [
            [pearsonr(shared.noise_free[fold.test, v], shared.responses[fold.test, v])[0] for v in range(24)]
            for fold in folds
        ]
    )
    np.testing.assert_allclose(ceiling.per_neuroid, r.mean(axis=0), atol=1e-10)
    np.testing.assert_allclose(ceiling.aggregate[0, 0], r.mean(), atol=1e-10)
    assert ceiling.replicates is not None
    assert ceiling.replicates.shape == (60, 7, 3)
    spread = np.sqrt(40 / 35) * 2.0301079 / 1.9599640  # 40 groups in 5 folds
    about = ceiling.aggregate + spread * (ceiling.replicates - ceiling.replicates.mean(axis=0))
    np.testing.assert_allclose(ceiling.low, np.quantile(about, 0.025, axis=0), atol=1e-6)
    assert (ceiling.low[0, 0] < ceiling.aggregate[0, 0]) & (ceiling.aggregate[0, 0] < ceiling.high[0, 0])
    assert 0.55 < ceiling.aggregate[0, 0] < 0.7  # the square root of the signal's share, .63


def test_one_neuroids_noise_free_response_as_features_scores_its_ceiling(shared: Any) -> None:
    """r does not see the fitted slope, so features equal to the noise-free response score its ceiling exactly."""
    neuroids = {name: values[:1] for name, values in shared.neuroids.items()}
    signal, response = shared.noise_free[:, :1], shared.responses[:, :1]
    ceiling = known_ceiling(signal, response, shared.samples, neuroids, SETTINGS)
    encoding = encode([("truth", signal)], response, shared.samples, neuroids, SETTINGS)
    np.testing.assert_allclose(encoding.aggregate_r[0], ceiling.aggregate, atol=1e-10)
    # the draws are the same; those of the encoding hold that folds train each other as well, which truth does not
    together = np.corrcoef(encoding.replicates[:, 0, 0, 0], ceiling.replicates[:, 0, 0])[0, 1]
    assert together > 0.7


def test_known_ceiling_refuses_another_shape(shared: Any) -> None:
    with pytest.raises(InputError, match=r"have shape \(160, 23\), but the responses \(160, 24\)"):
        known_ceiling(shared.noise_free[:, 1:], shared.responses, shared.samples, shared.neuroids, SETTINGS)


@pytest.mark.parametrize("name", ["mean", "schrimpf", "brain-score"])
def test_given_ceilings_are_aggregated_over_neuroids(shared: Any, name: str) -> None:
    values = np.random.default_rng(0).uniform(0.1, 0.8, size=24)
    ceiling = given_ceiling(values, shared.neuroids, name)
    np.testing.assert_array_equal(ceiling.per_neuroid, values)
    np.testing.assert_allclose(ceiling.aggregate, over_neuroids(values, Units.from_table(shared.neuroids), name))
    assert ceiling.replicates is None
    assert np.isnan(ceiling.low).all()


def test_given_squares_become_correlations(shared: Any) -> None:
    values = np.random.default_rng(0).uniform(0, 0.8, size=24)
    ceiling = given_ceiling(values, shared.neuroids, "mean", units="r2")
    np.testing.assert_allclose(ceiling.per_neuroid**2, values)
    with pytest.raises(InputError, match="unknown unit of given ceilings 'percent'"):
        given_ceiling(values, shared.neuroids, "mean", units="percent")


def test_given_ceilings_say_what_they_belong_to(shared: Any) -> None:
    values, units = np.full(24, 0.5), Units.from_table(shared.neuroids)
    for basis in ("responses", "encoder"):
        ceiling = given_ceiling(values, shared.neuroids, "mean", basis=basis)
        assert ceiling_variables([ceiling], units, 60)["ceiling_basis"].values.tolist() == [basis]
    with pytest.raises(InputError, match="unknown basis of given ceilings 'encoders'; did you mean 'encoder'"):
        given_ceiling(values, shared.neuroids, "mean", basis="encoders")


@pytest.mark.parametrize("units", ["r", "r2"])
@pytest.mark.parametrize("value", [np.nan, -0.1, -np.inf])
def test_given_ceilings_that_are_none_are_refused(shared: Any, value: float, units: str) -> None:
    values = np.full(24, 0.5)
    values[7] = value
    message = rf"1 of 24 given ceilings are no numbers from 0 to 1, the first is {value:g} of neuroid 'n7'\.$"
    with pytest.raises(InputError, match=message):
        given_ceiling(values, shared.neuroids, "mean", units)


def test_percentages_are_refused_with_what_to_do(shared: Any) -> None:
    values = np.linspace(0, 60, 24)
    with pytest.raises(InputError, match=r"23 of 24 .* of neuroid 'n1'; divide percentages by 100\.$"):
        given_ceiling(values, shared.neuroids, "mean")


def test_a_neuroids_lower_bound_is_of_its_own_replicates(shared: Any) -> None:
    ceiling = known_ceiling(shared.noise_free, shared.responses, shared.samples, shared.neuroids, SETTINGS)
    assert ceiling.per_neuroid_low is not None
    for index in (0, 23):
        one = {name: values[[index]] for name, values in shared.neuroids.items()}
        parts = (shared.noise_free[:, [index]], shared.responses[:, [index]])
        alone = known_ceiling(*parts, shared.samples, one, SETTINGS)
        np.testing.assert_allclose(ceiling.per_neuroid_low[index], alone.low[0, 0], atol=1e-6)
    assert (ceiling.per_neuroid_low < ceiling.per_neuroid).all()
