"""A whole encoding of 60 layers at the size of Pereira et al. 2018 on a graphics card.

The same as `encoding_40_layers`, with the products on the card. The peer is the same work on the processor, of which 4
layers are timed; the floor is 60 times the products of the choice of penalties alone, on the card, in float32.
"""

import time

from benchmarks.pereira import PENALTIES, ridge, simulate
from benchmarks.row import LeftOutError, Row, peak_mib, row
from brainalign.encoding.encoder import encode

LAYERS, ON_THE_PROCESSOR = 60, 4


def measure() -> Row:
    """Time one run of all layers on the card."""
    import torch

    if not torch.cuda.is_available():
        raise LeftOutError("it needs an NVIDIA card")
    return compare("cuda")


def compare(device: str, layers: int = LAYERS, on_the_processor: int = ON_THE_PROCESSOR) -> Row:
    """Time all layers at a device, some on the processor, and compare their scores."""
    inputs, settings = simulate(), ridge()

    def whole(count: int, place: str) -> tuple[float, float]:
        begun = time.perf_counter()
        given = inputs.responses, inputs.samples, inputs.neuroids, settings
        found = encode(inputs.layers(count), *given, device=place)
        return time.perf_counter() - begun, float(found.aggregate_r[0, 0, 0])

    before = peak_mib()
    _, on_card = whole(on_the_processor, device)  # which loads the card's libraries, too
    taken, _ = whole(layers, device)
    peer, on_processor = whole(on_the_processor, "cpu")
    note = f"r of a layer is {on_card:.7f} there and {on_processor:.7f} here; "
    note += f"{peak_mib() - before:.0f} MiB of host memory more than the inputs"
    floor = layers * _products(device, *inputs.responses.shape, len(inputs.folds(settings)))
    return row("encoding-gpu", taken, "the processor", peer * layers / on_the_processor, floor, device, note)


def _products(device: str, samples: int, neuroids: int, folds: int) -> float:
    import torch

    responses = torch.randn(samples, neuroids, device=device)
    square, rows = torch.randn(samples, samples, device=device), 2 * samples // folds
    best = float("inf")
    for _ in range(3):
        begun = time.perf_counter()
        for _ in PENALTIES:
            residuals = square @ responses
            for _ in range(folds * (folds - 1) // 2):
                blocks = square[:rows, :rows] @ residuals[:rows]
        float(blocks[0, 0])  # waits for the card
        best = min(best, time.perf_counter() - begun)
    return best
