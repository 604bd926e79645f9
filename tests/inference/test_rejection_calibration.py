"""Do tests reject 4 to 6 % of data sets without an effect?

Every share is over at least 2,000 simulated data sets (standard error .5 %) with fixed seeds.
"""

import numpy as np
import pytest
from scipy.signal import lfilter

import brainalign.encoding.trial as trial_module
from brainalign.encoding.encoder import encode
from brainalign.encoding.settings import EncoderSettings
from brainalign.inference.circular_shift import circular_shift_test
from brainalign.inference.p_values import SHARED_TRAINING_SPREAD
from brainalign.inference.shared_training import put_together, shared_variance, spread_of
from brainalign.inference.sign_flip import sign_flip_test
from brainalign.responses.samples import Samples
from inference.simulated import Design, simulate, summed

SETS, BATCH = 2000, 100


def rejected(p: list[np.ndarray]) -> float:
    return float(np.mean(np.concatenate(p) <= 0.05))


def autocorrelated(random: np.random.Generator, size: int, columns: int, coefficient: float = 0.7) -> np.ndarray:
    """First-order autoregressive series of variance 1 / (1 - coefficient²), (sample, column)."""
    return lfilter([1], [1, -coefficient], random.normal(size=(size + 50, columns)), axis=0)[50:]


def of_independent_training(random: np.random.Generator, groups: int, rows: int, columns: int) -> np.ndarray:
    """Return contributions (group, column) of predictions that were trained on other data, both grouped."""
    p, y = (random.normal(size=(groups, 1, columns)) + random.normal(size=(groups, rows, columns)) for _ in range(2))
    return ((p - p.mean(axis=(0, 1))) * y).sum(axis=1)


@pytest.mark.slow
@pytest.mark.parametrize("alternative", ["two-sided", "greater"])
@pytest.mark.parametrize("groups", [10, 48])
def test_sign_flips_of_predictions_trained_elsewhere(alternative: str, groups: int) -> None:
    random = np.random.default_rng(groups)
    tests = [
        sign_flip_test(of_independent_training(random, groups, 5, BATCH), 1999, seed, alternative)
        for seed in range(4 * SETS // BATCH)
    ]
    share = rejected([test.p for test in tests])
    print(f"{groups} groups {alternative}: {share:.4f}")
    assert 0.04 <= share <= 0.06


@pytest.mark.slow
@pytest.mark.parametrize("statistic", ["mean", "studentised"])
def test_the_maximum_statistic_holds_the_error_of_the_family(statistic: str) -> None:
    random = np.random.default_rng(5)
    family = []
    for seed in range(2 * SETS):
        d = random.normal(size=(20, 1)) + random.normal(size=(20, 12)) * np.linspace(1, 4, 12)
        found = sign_flip_test(d, 499, seed, statistic=statistic)
        family.append([found.p_family.min(), found.p_step_down.min(), found.p.min()])
    share = (np.array(family) <= 0.05).mean(axis=0)
    print(f"{statistic}: {share}")
    assert 0.04 <= share[0] <= 0.06
    assert share[1] == share[0]
    assert share[2] > 0.15


@pytest.mark.slow
@pytest.mark.parametrize(
    "design",
    [Design(24, 4, signal=0.0), Design(48, 8, signal=0.0), Design(48, 8, signal=0.4)],
    ids=str,
)
def test_sign_flips_of_a_cross_validation_need_its_dependence(design: Design) -> None:
    """Two feature spaces, alone and against each other, where responses are dependent inside groups.

    What is tested is the difference to what the fits reach on new groups, which is 0 without a signal. With one,
    two-sided tests, which no table has, are a little careful: of 6,000 other data sets they reject 3.4 %, one-sided
    ones 4.2 % of differences.
    """
    found: dict[str, list[np.ndarray]] = {}
    block_of_group, fold_of_block, share = put_together(design.fold_of_group, 32)
    for seed in range(SETS // BATCH):
        sets = [spaces for _, spaces in simulate(design, BATCH, 9000 + seed, spaces=2)]
        values, pairs = [], []
        for k in (0, 1):
            own = [spaces[k] for spaces in sets]
            values.append(np.stack([one.contributions - one.population / design.groups for one in own], axis=1))
            pairs.append(summed(np.stack([one.pairs for one in own], axis=-1), block_of_group) / design.folds)
        for name, c, of_pairs in (
            ("model", values[0], pairs[0]),
            ("difference", values[0] - values[1], pairs[0] - pairs[1]),
        ):
            spread = spread_of(shared_variance(of_pairs, fold_of_block, share), np.square(c).sum(axis=0))
            for alternative in ("greater", "two-sided"):
                for kind, by in (("plain", 1.0), ("measured", spread), ("most", SHARED_TRAINING_SPREAD)):
                    test = sign_flip_test(c, 999, seed, alternative, spread=by)
                    found.setdefault(f"{name} {alternative} {kind}", []).append(test.p)
    shares = {name: rejected(p) for name, p in found.items()}
    print(design, shares)
    for name, rate in shares.items():
        if name.endswith("plain"):
            assert rate > (0.09 if design.signal == 0 else 0.062), name
        elif name.endswith("measured"):
            assert (0.04 if "greater" in name else 0.039) <= rate <= 0.06, name
        else:
            assert rate <= 0.06, name


@pytest.mark.slow
@pytest.mark.parametrize("spaces", [3])
def test_the_family_of_a_cross_validation_holds_its_error(spaces: int) -> None:
    """Feature spaces without a signal, as layers that predict the same responses; the best of them, alone and not."""
    design, family, alone = Design(24, 4, signal=0.0), [], []
    for seed, (_, layers) in enumerate(simulate(design, SETS, 77, spaces)):
        c = np.stack([layer.contributions for layer in layers], axis=1)  # (group, layer)
        pairs = np.stack([layer.pairs for layer in layers], axis=-1) / design.folds
        spread = spread_of(shared_variance(pairs, design.fold_of_group), np.square(c).sum(axis=0))
        test = sign_flip_test(c, 499, seed, "greater", "studentised", spread)
        best = int(c.sum(axis=0).argmax())
        family.append(test.p_family[[best]])
        alone.append(test.p[[best]])
    print(f"{spaces} layers: family {rejected(family):.4f}, alone {rejected(alone):.4f}")
    assert 0.04 <= rejected(family) <= 0.06
    assert rejected(alone) > 0.08


@pytest.mark.slow
@pytest.mark.parametrize("alternative", ["two-sided", "greater"])
def test_circular_shifts_of_autocorrelated_series(alternative: str) -> None:
    random = np.random.default_rng(7)
    runs, found = np.repeat([0, 1, 2], [160, 200, 150]), []
    for seed in range(4 * SETS // BATCH):
        p, y = (np.concatenate([autocorrelated(random, size, BATCH) for size in (160, 200, 150)]) for _ in range(2))
        found.append(circular_shift_test(p, y, runs, runs, 999, seed, alternative=alternative).p)
    print(f"{alternative}: {rejected(found):.4f}")
    assert 0.04 <= rejected(found) <= 0.06


@pytest.mark.slow
def test_circular_shifts_of_a_cross_validation_need_its_dependence() -> None:
    random = np.random.default_rng(9)
    length, n_runs, width = 120, 6, 8
    runs = np.repeat(np.arange(n_runs), length)
    plain, spread = [], []
    for seed in range(2 * SETS // 20):
        p, y = [], []
        for _ in range(20):
            x, z = (
                np.concatenate([autocorrelated(random, length, columns) for _ in range(n_runs)])
                for columns in (width, 1)
            )
            prediction = np.empty_like(z)
            for run in range(n_runs):
                train, test = runs != run, runs == run
                gram = x[train].T @ x[train]
                fitted = np.linalg.solve(gram + 50 * np.eye(width), x[train].T @ (z[train] - z[train].mean()))
                prediction[test] = x[test] @ fitted
            p.append(prediction)
            y.append(z)
        arrays = np.concatenate(p, axis=1), np.concatenate(y, axis=1)
        plain.append(circular_shift_test(*arrays, runs, runs, 999, seed).p)
        spread.append(circular_shift_test(*arrays, runs, runs, 999, seed, spread=SHARED_TRAINING_SPREAD).p)
    print(f"plain {rejected(plain):.4f}, spread {rejected(spread):.4f}")
    assert rejected(plain) > 0.1
    assert 0.03 <= rejected(spread) <= 0.06


@pytest.mark.slow
def test_tests_of_an_encoded_series_hold_their_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Autocorrelated noise of 6 runs, each held out once; each subject is a series of its own."""
    monkeypatch.setattr(trial_module, "SHIFTS", 499)
    random = np.random.default_rng(11)
    length, n_runs, subjects = 120, 6, 25
    names = np.arange(subjects).astype(str)
    table = {"neuroid": names, "subject": names, "region": np.full(subjects, "x")}
    runs = np.repeat([f"run-{number}" for number in range(n_runs)], length)
    samples = Samples({"split_group": runs, "run": runs, "onset_s": np.tile(2.0 * np.arange(length), n_runs)})
    settings = EncoderSettings(split={"kind": "leave-one-group-out"}, draws=20, penalties=0.1, layer="best")
    shifted, flipped = [], []
    for seed in range(400):
        x, y = (
            np.concatenate([autocorrelated(random, length, columns) for _ in range(n_runs)])
            for columns in (8, subjects)
        )
        found = encode([("layer", x)], y, samples, table, settings)
        shifted.append(found.shift_p[1:, 0])
        c, pairs = found.contributions[:, 0, 1:, 0], found.pairs[:, :, 0, 1:, 0]
        spread = spread_of(shared_variance(pairs, found.fold_of_block, found.pair_share), np.square(c).sum(axis=0))
        flipped.append(sign_flip_test(c, 999, seed, "greater", spread=spread).p)
    print(f"of series: shifts {rejected(shifted):.4f}, sign flips of runs {rejected(flipped):.4f}")
    assert 0.04 <= rejected(shifted) <= 0.06
    assert 0.04 <= rejected(flipped) <= 0.06
