"""Brain-Score's ridge benchmarks of 2026 (`Pereira2018.*-ridge`): `ridge_pearsonr` with story-wise folds.

Folds are GroupKFold(10, shuffle=True, random_state=1234) of the story (the topic of a passage in its experiment). In
each training set one penalty of 10^-3, 10^-2 ... 10^3 serves all voxels: that of the least leave-one-out squared error,
averaged over rows and voxels. With intercept, features not scaled. The leave-one-out rows are single sentences: their
passage stays in the training set. r has 1e-8 added to both norms; median over the voxels of all subjects in a fold,
mean over folds.
"""

import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GroupKFold

from encoding.published.scores import Published

PENALTIES = np.logspace(-3, 3, 7)


def brain_score_ridge(
    features: np.ndarray,
    responses: np.ndarray,
    story: np.ndarray,
    n_folds: int = 10,
    sample_map: np.ndarray | None = None,
) -> Published:
    """Score one layer as published.

    features : (stimulus, width); responses : (sample, neuroid); story : (sample,); n_folds : 10 for Pereira2018;
    sample_map : (sample, stimulus), the identity if None.
    """
    x = features if sample_map is None else sample_map @ features
    r, penalty = [], []
    for train, test in GroupKFold(n_folds, shuffle=True, random_state=1234).split(x, groups=story):
        model = RidgeCV(alphas=PENALTIES, alpha_per_target=False).fit(x[train], responses[train])
        prediction = model.predict(x[test]).reshape(len(test), -1)
        r.append(_pearson_of_brain_score(prediction, responses[test]))
        penalty.append(np.full(responses.shape[1], model.alpha_))
    return Published(np.array(r), float(np.mean(np.median(r, axis=1))), np.array(penalty))


def _pearson_of_brain_score(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    return (a / (np.linalg.norm(a, axis=0) + 1e-8) * (b / (np.linalg.norm(b, axis=0) + 1e-8))).sum(axis=0)
