"""The haemodynamic response: what a brief activity looks like in fMRI."""

import math

import numpy as np

PEAK_S, UNDERSHOOT_S, DISPERSION_S, UNDERSHOOT_RATIO = 6.0, 16.0, 1.0, 6.0
LENGTH_S = 32.0


def haemodynamic_response(spacing_s: float) -> np.ndarray:
    """Return the canonical double-gamma response, sampled.

    h(t) = g(t; 6) − g(t; 16) / 6,   g(t; a) = t^(a − 1) e^(−t) / Γ(a),   t in s,

    the response of SPM's `spm_hrf` with its default parameters (delays 6 s and 16 s, dispersions 1 s, ratio 6, onset
    0 s, length 32 s), divided by its sum as there. It peaks at 5 s and is lowest near 16 s.

    Parameters
    ----------
    spacing_s : time between samples, in seconds, above 0.

    Returns
    -------
    array of shape (floor(32 / spacing_s) + 1,): h(0), h(spacing_s), …; sum 1.

    Source
    ------
    Friston et al. (1998), Event-related fMRI: characterizing differential responses, NeuroImage 7, 30–40; spm_hrf.m in
    SPM12.
    """
    times = np.arange(int(LENGTH_S / spacing_s) + 1) * spacing_s
    response = np.array([_gamma_density(t, PEAK_S) - _gamma_density(t, UNDERSHOOT_S) / UNDERSHOOT_RATIO for t in times])
    normalised: np.ndarray = response / response.sum()
    return normalised


def convolve(features: np.ndarray, spacing_s: float) -> np.ndarray:
    """Convolve one run's features with the haemodynamic response, causally: y[t] = Σ_k h(k · spacing_s) x[t − k].

    Before the run nothing happens (x = 0). Since h(0) = 0, y[t] depends on earlier time points only.

    Parameters
    ----------
    features : array of shape (time points, d), one run on a regular grid.
    spacing_s : time between the time points, in seconds.

    Returns
    -------
    array of shape (time points, d).
    """
    response = haemodynamic_response(spacing_s)
    convolved = np.zeros_like(features, dtype=np.float64)  # (time points, d)
    for delay, weight in enumerate(response[: len(features)]):
        convolved[delay:] += weight * features[: len(features) - delay]
    return convolved


def _gamma_density(time_s: float, shape: float) -> float:
    time = time_s / DISPERSION_S
    return math.pow(time, shape - 1) * math.exp(-time) / (math.gamma(shape) * DISPERSION_S)
