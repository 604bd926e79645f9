"""Parameters are counted from headers: of a file that is larger than any memory here, and holds nothing yet."""

import json
import struct
import time
from pathlib import Path

from brainalign.models.stored_tensors import count_parameters, main_dtype
from brainalign.models.weight_tensors import list_tensors

ROWS, COLUMNS, LAYERS = 32_000, 8_192, 80


def test_a_sparse_file_of_43_gigabytes_is_counted_at_once(tmp_path: Path) -> None:
    shapes = {"model.embed_tokens.weight": [ROWS, COLUMNS]}
    shapes |= {f"model.layers.{number}.mlp.weight": [COLUMNS, ROWS] for number in range(LAYERS)}
    header, at = {}, 0
    for name, (rows, columns) in shapes.items():
        header[name] = {"dtype": "BF16", "shape": [rows, columns], "data_offsets": [at, at + 2 * rows * columns]}
        at += 2 * rows * columns
    text = json.dumps(header).encode()
    path = tmp_path / "model.safetensors"
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + at)
    assert path.stat().st_size > 42e9
    assert path.stat().st_blocks * 512 < 1e6  # sparse: nothing of it lies on the disk
    begin = time.perf_counter()
    assert count_parameters(list_tensors([path])) == (LAYERS + 1) * ROWS * COLUMNS
    assert main_dtype(list_tensors([path])) == "bfloat16"
    assert time.perf_counter() - begin < 2
