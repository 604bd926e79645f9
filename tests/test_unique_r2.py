"""Intervals of what features explain beyond nulls, on simulated data sets of known structure."""

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from brainalign.encoding.encoder import Encoding
from brainalign.encoding.joint import weights_beside_nulls, weights_of_nulls
from brainalign.encoding.joint_encoder import Member, encode_joint
from brainalign.encoding.settings import EncoderSettings
from brainalign.responses.samples import Samples
from brainalign.scored import Fits
from brainalign.scored_tests import replicates_beyond

GROUPS, ROWS, FOLDS, NEUROIDS, DATASETS = 40, 4, 5, 6, 80
GROUP = np.repeat(np.arange(GROUPS), ROWS)
SAMPLES = Samples({"split_group": np.array([f"g{number:02d}" for number in GROUP])})
TABLE = {
    "neuroid": np.arange(NEUROIDS).astype(str),
    "subject": np.full(NEUROIDS, "S1"),
    "region": np.full(NEUROIDS, "x"),
}
SETTINGS = EncoderSettings(
    split={"kind": "grouped", "folds": FOLDS}, grid=(1e-2, 1.0, 1e2), draws=200, precision="float64", mixtures=5
)


def grouped(random: np.random.Generator, width: int, share: float) -> np.ndarray:
    of_group = random.normal(size=(GROUPS, width))[GROUP]
    return np.sqrt(share) * of_group + np.sqrt(1 - share) * random.normal(size=(len(GROUP), width))


def fits_of(found: Encoding) -> Fits:
    names = "replicates_r2 spread_r2 dependence contributions pairs fold_of_block pair_share".split()
    return cast(Fits, SimpleNamespace(**{name: getattr(found, name) for name in names}))


@pytest.mark.slow
@pytest.mark.parametrize("added", [0.0, 0.3])
def test_intervals_are_as_wide_as_unique_r2_varies(added: float) -> None:
    """Nulls explain half of the variance, features `added` squared of it, over data sets that are drawn anew."""
    found, lengths = [], {"difference": [], "each by itself": []}
    for seed in range(DATASETS):
        random = np.random.default_rng(seed)
        nulls, features = grouped(random, 5, 0.3), grouped(random, 20, 0.3)

        def part(of: np.ndarray, random: np.random.Generator = random) -> np.ndarray:
            weights = random.normal(size=(of.shape[1], NEUROIDS))
            return of @ (weights / np.linalg.norm(weights, axis=0))

        y = 0.7 * part(nulls) + added * part(features)
        y += np.sqrt(1 - 0.49 - added**2) * grouped(random, NEUROIDS, 0.5)
        null, model = Member({"n": nulls}, ["n"] * FOLDS), Member({"x": features}, ["x"] * FOLDS)
        alone = encode_joint([null], y, SAMPLES, TABLE, SETTINGS, weights=weights_of_nulls(1, 5))
        both = encode_joint([model, null], y, SAMPLES, TABLE, SETTINGS, weights=weights_beside_nulls(2, 5))
        found.append(both.aggregate_r2[-1, 0, 0] - alone.aggregate_r2[-1, 0, 0])
        for name, replicates in (
            ("difference", replicates_beyond(fits_of(alone), fits_of(both), 1.0)),
            ("each by itself", both.replicates_r2 - alone.replicates_r2),
        ):
            lengths[name].append(replicates[:, 0, 0].std())
    spread = np.std(found)
    assert 0.85 < np.mean(lengths["difference"]) / spread < 1.2
    assert np.mean(lengths["each by itself"]) / spread < 0.85
