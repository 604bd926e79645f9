"""Debiased linear CKA over samples of different groups.

For a kernel k on features, l on responses, and four independent samples 1, 2, 3, 4,

    HSIC = E[k_12 l_12] - 2 E[k_12 l_13] + E[k_12 l_34]                       (Gretton et al. 2005; linear k and l: the
                                                                               squared Frobenius norm of Cov(x, y))

Samples of one group (a passage, a story) are not independent, samples of different groups are. So each expectation is
estimated by the mean over all ordered quadruples (i, j, q, r) of samples of four different groups:

    HSIC_between = mean of k_ij (l_ij - 2 l_iq + l_qr)

It is unbiased for HSIC of the samples' common distribution whatever the dependence inside groups: features and
responses that are each alike inside groups, but unrelated between them, have expectation 0. Where every sample is its
own group it is the unbiased estimator of Song et al. (2012, JMLR 13). It does not change when a_i + a_j is
added to k_ij, so centring is of no consequence but for rounding. CKA is

    HSIC_between(k, l) / sqrt(HSIC_between(k, k) HSIC_between(l, l))

as Murphy, Zylberberg & Fyshe (2024) debias it. It may be below 0 or above 1, and is undefined where what stands under
the root has a factor that is not above 0.

In a bootstrap draw a quadruple of groups a, b, c, d counts w_a w_b w_c w_d times. All sums follow from those over
groups: with m_a = w_a n_a, the sizes in the draw, M = sum m, k_ib = sum_{j in b} k_ij, K_ab = sum_{i in a} k_ib and
nothing inside groups,

    pairs       sum_{a != b} w_a w_b N_ab sum_{i in a, j in b} k_ij l_ij,   N_ab = sum_{c != d, not a, b} m_c m_d
    triples     sum_a w_a sum_{b != c} w_b w_c (M - m_a - m_b - m_c) sum_{i in a} k_ib l_ic
    quadruples  sum over different a, b, c, d of w_a w_b w_c w_d K_ab L_cd
                = K.. L.. - 4 sum_a K_a. L_a. + 2 sum_ab K_ab L_ab          (each K_ab, L_ab times w_a w_b)

and HSIC_between is (pairs - 2 triples + quadruples) over the number of quadruples, which cancels in CKA. A Gram matrix
costs n^2 p operations, everything else n^2 and, for D draws and G groups, n G D.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from brainalign.similarity.dissimilarity import UndefinedError
from brainalign.similarity.groups import Groups
from brainalign.similarity.pairs import gram, refuse_few_groups

FEWEST_GROUPS = 4  # a quadruple has four
SMALLEST = 1e-9  # of the sum over pairs: what is left of it below this is rounding


@dataclass(frozen=True)
class BetweenGroups:
    """A Gram matrix without its entries inside groups, and its sums.

    Parameters
    ----------
    matrix : (sample, sample).
    of_samples : (sample, group), sums over a group's columns.
    of_groups : (group, group), sums over pairs of groups.
    own : (1 + draw,), its HSIC with itself, times the number of quadruples; NaN where it is not above 0.
    distance : empty; there is none.
    """

    matrix: np.ndarray
    of_samples: np.ndarray
    of_groups: np.ndarray
    own: np.ndarray
    distance: str = ""


class DebiasedCKA:
    """Debiased linear CKA over quadruples of samples of four different groups, as the module says."""

    def __init__(self, groups: Groups) -> None:
        self.groups = groups
        self._w = groups.counts  # (1 + draw, group)
        self._m = self._w * groups.sizes
        self._total = self._m.sum(axis=1)  # (1 + draw,)

    def represent(self, values: np.ndarray, what: str) -> BetweenGroups:
        """Return features or responses (sample, unit) as they are compared.

        Raises
        ------
        UndefinedError : fewer than 4 groups; no column varies; an HSIC with itself that is not above 0.
        """
        refuse_few_groups(self.groups, FEWEST_GROUPS, "debiased CKA over samples of different groups")
        matrix = np.where(self.groups.within, 0.0, gram(values, what))
        of_samples = self.groups.column_sums(matrix)
        of_groups = self.groups.row_sums(of_samples)
        unknown = BetweenGroups(matrix, of_samples, of_groups, np.empty(0))
        sums, pairs = self._sums(unknown, self._products(unknown), unknown)
        enough = np.count_nonzero(self._w, axis=1) >= FEWEST_GROUPS  # without, there is no quadruple but rounding
        own = np.where(enough & (sums > SMALLEST * pairs), sums, np.nan)
        if np.isnan(own[0]):
            raise UndefinedError(
                f"the {what} of different groups have nothing in common (a debiased variance not above 0)"
            )
        return BetweenGroups(matrix, of_samples, of_groups, own)

    def compare(self, features: BetweenGroups, responses: Sequence[BetweenGroups]) -> np.ndarray:
        """Return CKA of features with each responses, NaN in draws where it is not defined.

        Returns
        -------
        (response, 1 + draw), the first column of the data as they are.
        """
        products = self._products(features)
        sums = [self._sums(features, products, other)[0] / np.sqrt(features.own * other.own) for other in responses]
        return np.array(sums).reshape(len(responses), len(self._w))

    def _products(self, k: BetweenGroups) -> tuple[np.ndarray, np.ndarray]:
        """Return the parts of the triples that do not know the other matrix, each (sample, 1 + draw)."""
        weight, size = self._w.T[self.groups.index], self._m.T[self.groups.index]
        simple = weight * (k.of_samples @ self._w.T)
        return simple * (self._total - size) - weight * (k.of_samples @ (self._w * self._m).T), simple

    def _sums(
        self,
        k: BetweenGroups,
        products: tuple[np.ndarray, np.ndarray],
        l: BetweenGroups,  # noqa: E741 -- as in papers
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return pairs - 2 triples + quadruples, and pairs alone, each (1 + draw,)."""
        pairs = self._pairs(self.groups.block_sums(k.matrix * l.matrix))
        return pairs - 2 * self._triples(k, products, l) + self._quadruples(k.of_groups, l.of_groups), pairs

    def _pairs(self, block: np.ndarray) -> np.ndarray:
        """N_ab = M^2 - sum m^2 - 2 M (m_a + m_b) + 2 m_a^2 + 2 m_b^2 + 2 m_a m_b, and `block` is symmetric."""
        w, m, total = self._w, self._m, self._total
        simple, sized = w @ block, (w * m) @ block
        return np.asarray(
            (total**2 - (m**2).sum(axis=1)) * _dot(simple, w)
            - 4 * total * _dot(simple, w * m)
            + 4 * _dot(simple, w * m**2)
            + 2 * _dot(sized, w * m)
        )

    def _triples(
        self,
        k: BetweenGroups,
        products: tuple[np.ndarray, np.ndarray],
        l: BetweenGroups,  # noqa: E741 -- as in papers
    ) -> np.ndarray:
        w, m, total = self._w, self._m, self._total
        left, right = (l.of_samples.T @ part for part in products)  # each (group, 1 + draw)
        every = _dot(left.T, w) - _dot(right.T, w * m)
        same = self.groups.row_sums(k.of_samples * l.of_samples)  # (group, group): b = c, which is taken off
        once, sized = w**2 @ same.T, (w**2 * m) @ same.T
        return np.asarray(every - total * _dot(once, w) + _dot(once, w * m) + 2 * _dot(sized, w))

    def _quadruples(self, k: np.ndarray, l: np.ndarray) -> np.ndarray:  # noqa: E741 -- as in papers
        w = self._w
        of_k, of_l = w * (w @ k), w * (w @ l)  # (1 + draw, group)
        return np.asarray(of_k.sum(axis=1) * of_l.sum(axis=1) - 4 * _dot(of_k, of_l) + 2 * _dot(w**2 @ (k * l), w**2))


def _dot(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.asarray(np.einsum("dg,dg->d", x, y))
