"""Nested grouped ridge at the size of Pereira et al. 2018 against nothing but the products that it cannot do without.

The floor, which is the peer here, is `pereira.products`: one sample × sample by sample × neuroid product for each
penalty, and one product of a square block for each penalty and pair of folds, in float32.
"""

from benchmarks.pereira import products, ridge, simulate
from benchmarks.row import Row, row, seconds


def measure() -> Row:
    """Time ours and the floor."""
    inputs, settings = simulate(), ridge()
    floor = seconds(products(*inputs.responses.shape, inputs.folds(settings)), 5)
    return row("encoding-products", seconds(inputs.fit(settings), 5), "the bare products", floor, floor)
