"""What weight files hold, tensor by tensor and whatever their format, and the sizes that follow from it."""

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_BUFFERS = (".masked_bias", ".inv_freq", ".position_ids")  # constants that old checkpoints keep beside the weights
_INPUTS = ("embed", "wte", "shared.weight")
_OUTPUTS = (  # endings; what a model may tie to its input embeddings, and the biases beside it
    "lm_head.weight",
    "lm_head.bias",
    "lm_head.decoder.weight",
    "lm_head.decoder.bias",
    "embed_out.weight",
    "cls.predictions.decoder.weight",
    "cls.predictions.decoder.bias",
    "cls.predictions.bias",
    "vocab_projector.weight",
    "vocab_projector.bias",
)
_OFFSETS = "final_logits_bias"  # BART and its relatives: beside the weights, and no parameter of the class


@dataclass(frozen=True)
class StoredTensor:
    """One tensor of a weight file.

    dtype : as torch names it, such as "float32"; content : gives the tensor's bytes, a part at a time.
    """

    file: Path
    name: str
    dtype: str
    shape: tuple[int, ...]
    content: Callable[[], Iterator[bytes | memoryview]]

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def is_constant(self) -> bool:
        """Whether it is a buffer that an old checkpoint keeps beside the weights, and that nothing trains."""
        mask = self.name.endswith(".bias") and len(self.shape) == 4  # the causal mask of GPT-2 and GPT-NeoX
        return mask or self.name.endswith(_BUFFERS) or self.dtype in ("bool", "int64")

    @property
    def is_input(self) -> bool:
        """Whether it is an embedding matrix, of tokens or of positions."""
        return len(self.shape) == 2 and any(part in self.name for part in _INPUTS) and not self.is_output

    @property
    def is_output(self) -> bool:
        """Whether it belongs to the last step of a head, from width to vocabulary."""
        return self.name.endswith(_OUTPUTS)


def count_parameters(tensors: Iterable[StoredTensor], tied: bool | None = None) -> int:
    """Count the trainable numbers in the tensors that together are one model.

    Parameters
    ----------
    tensors : all of the model's.
    tied : what the config says about input and output embeddings. Input embeddings of one shape with the same bytes
        are counted once, and unless this is False, output embeddings and their biases too (only their bytes are read).
    """
    trained = [tensor for tensor in tensors if not tensor.is_constant and not tensor.name.endswith(_OFFSETS)]
    shared = [tensor for tensor in trained if tensor.is_input or (tensor.is_output and tied is not False)]
    return sum(tensor.size for tensor in trained) - _repeated(shared)


def main_dtype(tensors: Iterable[StoredTensor]) -> str:
    """Return the number format that holds most of the weights, such as "float32"."""
    sizes: Counter[str] = Counter()
    for tensor in tensors:
        sizes[tensor.dtype] += tensor.size
    return sizes.most_common(1)[0][0]


def _repeated(tensors: list[StoredTensor]) -> int:
    """Return how many numbers stand in a second or later copy of a tensor."""
    shapes = Counter((tensor.shape, tensor.dtype) for tensor in tensors)
    seen: set[tuple[tuple[int, ...], str]] = set()
    repeated = 0
    for tensor in tensors:
        if shapes[tensor.shape, tensor.dtype] > 1:
            digest = hashlib.sha256()
            for part in tensor.content():
                digest.update(part)
            key = (tensor.shape, digest.hexdigest())
            repeated += tensor.size if key in seen else 0
            seen.add(key)
    return repeated
