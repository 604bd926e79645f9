"""Noise of known variance and correlation."""

import numpy as np


def grouped_noise(
    group_stream: np.random.Generator,
    sample_stream: np.random.Generator,
    groups: int,
    group_size: int,
    neuroids: int,
    correlation: float,
) -> np.ndarray:
    """Return normal noise of variance 1 that is correlated inside groups and independent between neuroids.

    e[g, i, v] = sqrt(c) u[g, v] + sqrt(1 − c) n[g, i, v] with u, n independent standard normal, so that two samples of
    one group correlate by c.

    Parameters
    ----------
    group_stream, sample_stream : sources of u and of n; the first groups of a longer draw are those of a shorter one.
    groups, group_size : the number of groups and of samples in each.
    correlation : c, from 0 to 1.

    Returns
    -------
    array of shape (groups · group_size, neuroids), group after group.
    """
    shared = group_stream.standard_normal((groups, 1, neuroids))
    own = sample_stream.standard_normal((groups, group_size, neuroids))
    noise: np.ndarray = np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own  # (groups, group_size, neuroids)
    return noise.reshape(groups * group_size, neuroids)


def autoregressive_noise(
    stream: np.random.Generator, runs: int, time_points: int, neuroids: int, coefficient: float
) -> np.ndarray:
    """Return stationary first-order autoregressive normal noise of variance 1, independent between runs and neuroids.

    e[0] = n[0],   e[t] = φ e[t − 1] + sqrt(1 − φ²) n[t],   n independent standard normal.

    Parameters
    ----------
    stream : source of n; the first runs of a longer draw are those of a shorter one.
    runs, time_points : the number of runs and the length of each.
    coefficient : φ, above −1 and below 1.

    Returns
    -------
    array of shape (runs · time_points, neuroids), run after run.
    """
    noise = stream.standard_normal((runs, time_points, neuroids))
    innovation = np.sqrt(1 - coefficient**2)
    for t in range(1, time_points):
        noise[:, t] = coefficient * noise[:, t - 1] + innovation * noise[:, t]
    return noise.reshape(runs * time_points, neuroids)
