"""The ceiling extrapolated over subjects, at the size of Pereira2018's experiment with 384 sentences.

9 subjects, 12,155 neuroids, 384 sentences in 96 groups (simulated: a signal of 30 dimensions that all share, and
noise); 10 grouped folds, 13 penalties chosen per neuroid by nested folds, 100 bootstraps of each neuroid's curve. One
row with Brain-Score's pools (10 of each size, 5 draws of who is held out) and one with the default ones; both find what
noise would give, too, which Brain-Score does not.

The peer does what Brain-Score does: scikit-learn's LinearRegression on the concatenated voxels of every pool for each
of 10 shuffled splits, and scipy's curve_fit for each neuroid and bootstrap. It would take hours, so that one split of
one score is timed at 3 sizes, interpolated to the other sizes and multiplied by how many there are, and so are 200
fits.

The floor is, for each score, one product of an n × n matrix with the responses for each penalty, and one block product
for each penalty and pair of folds, in float32; it is timed for one subject, and multiplied.
"""

import numpy as np
from scipy.optimize import curve_fit
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import ShuffleSplit

from benchmarks.row import Row, row, seconds
from brainalign.ceilings.pools import PoolScore, balanced_scores, brain_score_scores
from brainalign.ceilings.subject_pool import subject_pool_ceiling
from brainalign.encoding.settings import EncoderSettings
from brainalign.responses.samples import Samples

SAMPLES, SUBJECTS, NEUROIDS, FOLDS, PENALTIES, BOOTSTRAPS = 384, 9, 12155, 10, 13, 100
TIMED_SIZES = (2, 5, 9)
TIMED_FITS = 200


def measure() -> list[Row]:
    """Time ours, the peer's share and the floor on the same numbers."""
    random = np.random.default_rng(0)
    subject = np.sort(np.arange(NEUROIDS) % SUBJECTS)
    signal = random.standard_normal((SAMPLES, 30)) @ random.standard_normal((30, NEUROIDS)) / np.sqrt(30)
    responses = (0.4 * signal + random.standard_normal((SAMPLES, NEUROIDS))).astype(np.float32)
    neuroids = {
        "neuroid": np.arange(NEUROIDS).astype(str),
        "subject": np.array([f"S{number}" for number in subject]),
        "region": np.full(NEUROIDS, "language"),
    }
    samples = Samples({"split_group": np.repeat(np.arange(SAMPLES // 4), 4).astype(str)})
    settings = EncoderSettings(aggregate="brain-score")
    published, balanced = brain_score_scores(SUBJECTS, 10, 5, 0), balanced_scores(SUBJECTS, 3, np.random.default_rng(0))
    peer = _peer(responses, subject, published)
    floor = _floor(responses[:, subject == 0])

    def ours(**options: object) -> float:
        return seconds(lambda: subject_pool_ceiling(responses, samples, neuroids, settings, **options), 1)

    rows = []
    for name, asked, options in (
        ("ceiling-pereira", published, {"design": "brain-score", "pools": 10, "held_out": 5}),
        ("ceiling-pereira-balanced", balanced, {}),
    ):
        different = len({(score.pool, score.target) for score in asked})
        note = (
            f"{different} different scores; the peer has Brain-Score's {len(published)}, extrapolated from one of "
            f"{FOLDS} splits of 3 of them and from {TIMED_FITS} of {NEUROIDS * BOOTSTRAPS} curves"
        )
        rows.append(row(name, ours(**options), "Brain-Score's loop", peer, floor * different, note=note))
    return rows


def _peer(responses: np.ndarray, subject: np.ndarray, asked: list[PoolScore]) -> float:
    train, test = next(ShuffleSplit(FOLDS, train_size=0.9, random_state=1).split(responses))

    def refit(size: int) -> None:
        x, y = responses[:, (subject > 0) & (subject < size)], responses[:, subject == 0]
        LinearRegression().fit(x[train], y[train]).predict(x[test])

    of_sizes = [seconds(lambda size=size: refit(size), 1) for size in TIMED_SIZES]
    refits = FOLDS * sum(float(np.interp(score.size, TIMED_SIZES, of_sizes)) for score in asked)

    def curve(x: np.ndarray, v0: float, tau: float) -> np.ndarray:
        return np.asarray(v0 * (1 - np.exp(-x / tau)))

    sizes, random = np.arange(2.0, SUBJECTS + 1), np.random.default_rng(0)

    def fits() -> None:
        for _ in range(TIMED_FITS):
            values = curve(sizes, 0.3, 2.0) + random.normal(0, 0.01, len(sizes))
            curve_fit(curve, sizes, values, bounds=([0, -np.inf], [1, np.inf]))

    return refits + seconds(fits, 1) * NEUROIDS * BOOTSTRAPS / TIMED_FITS


def _floor(responses: np.ndarray) -> float:
    rows = 2 * SAMPLES // FOLDS
    square, block = np.ones((SAMPLES, SAMPLES), dtype=np.float32), np.ones((rows, rows), dtype=np.float32)

    def products() -> None:
        for _ in range(PENALTIES):
            residuals = square @ responses
            for _ in range(FOLDS * (FOLDS - 1) // 2):
                block @ residuals[:rows]

    return seconds(products)
