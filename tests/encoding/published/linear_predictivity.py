"""Aw et al. 2023 on Pereira2018 and Blank2014: Brain-Score's `linear_pearsonr` of December 2023.

Ordinary least squares with intercept (of minimum norm where features outnumber samples), nothing scaled; ten random
90/10 splits of the rows, blind to passages; r of each voxel on the test rows; the median over the voxels of all
subjects in a split, then the mean over splits. Not divided by a ceiling.
"""

import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import ShuffleSplit

from encoding.published.scores import Published, pearson


def linear_predictivity(features: np.ndarray, responses: np.ndarray, sample_map: np.ndarray | None = None) -> Published:
    """Score one layer as published.

    features : (stimulus, width); responses : (sample, neuroid); sample_map : (sample, stimulus), the identity if None.
    """
    x = features if sample_map is None else sample_map @ features
    r = []
    for train, test in ShuffleSplit(n_splits=10, train_size=0.9, random_state=1).split(x):
        model = LinearRegression().fit(x[train], responses[train])
        r.append(pearson(model.predict(x[test]), responses[test]))
    return Published(np.array(r), float(np.mean(np.median(r, axis=1))))
