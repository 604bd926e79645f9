"""A whole encoding of 40 layers at the size of Pereira et al. 2018: seconds and peak memory.

Nested choice of penalties and layers, all scores, and 1,000 bootstrap draws of every layer and of the chosen one.
Layers are made one at a time, as they are read from a file; making them is counted. The floor, which is the peer here,
is 40 times `pereira.products`: the products of the choice of penalties alone.
"""

import time

from benchmarks.pereira import products, ridge, simulate
from benchmarks.row import Row, peak_mib, row, seconds
from brainalign.encoding.encoder import encode

LAYERS = 40


def measure() -> Row:
    """Time one run of all layers."""
    inputs, settings = simulate(), ridge()
    before, processor = peak_mib(), time.process_time()
    begun = time.perf_counter()
    encoding = encode(inputs.layers(LAYERS), inputs.responses, inputs.samples, inputs.neuroids, settings)
    taken, processor = time.perf_counter() - begun, time.process_time() - processor
    own = peak_mib() - before
    floor = LAYERS * seconds(products(*inputs.responses.shape, inputs.folds(settings)))
    note = (
        f"all layers and draws in one run, {processor:.0f} s of processor time; {own:.0f} MiB of memory more than the "
        f"inputs; {len(set(encoding.chosen_layer.ravel().tolist()))} layers chosen"
    )
    return row("encoding-40-layers", taken, "the bare products", floor, floor, note=note)
