"""Nested grouped ridge against scikit-learn with the same scheme: one Ridge per inner fold and penalty.

384 samples in 96 groups, 512 features, 1,000 neuroids, 5 outer folds of 4 inner folds, 13 penalties chosen per neuroid.
The floor is one product of an n × n matrix with the responses for each penalty and outer fold.
"""

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold

from benchmarks.row import Row, row, seconds
from brainalign.encoding.encoder import encode
from brainalign.encoding.settings import EncoderSettings
from brainalign.responses.samples import Samples

SAMPLES, WIDTH, NEUROIDS, FOLDS = 384, 512, 1000, 5
PENALTIES = tuple(float(10.0**exponent) for exponent in range(-4, 9))


def measure() -> Row:
    """Time ours, scikit-learn's and the floor on the same numbers."""
    random = np.random.default_rng(0)
    features = random.standard_normal((SAMPLES, WIDTH)).astype(np.float32)
    responses = random.standard_normal((SAMPLES, NEUROIDS)).astype(np.float32)
    groups = np.repeat(np.arange(SAMPLES // 4).astype(str).astype(object), 4)
    square = random.standard_normal((SAMPLES, SAMPLES))

    def floor() -> None:
        for _ in range(FOLDS * len(PENALTIES)):
            square @ responses.astype(np.float64)

    def ours() -> None:
        split = {"kind": "grouped", "by": "split_group", "folds": FOLDS}
        settings = EncoderSettings(grid=PENALTIES, grid_scale="absolute", split=split, draws=1)
        neuroids = {
            "neuroid": np.arange(NEUROIDS).astype(str),
            "subject": ["one"] * NEUROIDS,
            "region": ["all"] * NEUROIDS,
        }
        encode([("layer", features)], responses, Samples({"split_group": groups}), neuroids, settings)

    def peer() -> None:
        for train, test in GroupKFold(FOLDS).split(features, groups=groups):
            errors = np.zeros((len(PENALTIES), NEUROIDS))
            for inner, held_out in GroupKFold(FOLDS - 1).split(features[train], groups=groups[train]):
                for index, penalty in enumerate(PENALTIES):
                    fitted = Ridge(penalty).fit(features[train][inner], responses[train][inner])
                    residual = responses[train][held_out] - fitted.predict(features[train][held_out])
                    errors[index] += (residual**2).sum(axis=0)
            best = np.array(PENALTIES)[errors.argmin(axis=0)]
            Ridge(best).fit(features[train], responses[train]).predict(features[test])

    return row("encoding-ridge-sklearn", seconds(ours), "scikit-learn Ridge", seconds(peer, 1), seconds(floor))
