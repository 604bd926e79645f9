"""Activation files: whole, checked, and one layer read without the others."""

import io
import json
import subprocess
import sys
import textwrap
from pathlib import Path

import h5py
import numpy as np
import pytest

from brainalign.activations.partial import PartialStates
from brainalign.activations.stored import read_layers, write_activations
from brainalign.errors import UnreadableFileError

PACKAGES = Path(__file__).parents[2] / "workflow_scripts"
STIMULI = np.array([f"stimulus {row}" for row in range(1500)], dtype=object)
NAMES = ["embeddings", "block_01", "block_02", "final"]


def states(width: int = 300) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {name: rng.standard_normal((len(STIMULI), width)).astype(np.float32) for name in NAMES}


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    write_activations(tmp_path / "a.h5", tmp_path / "a.json", STIMULI, states(), {"dtype": "float32"})
    return tmp_path / "a.h5"


def damage(path: Path, layer: str) -> None:
    """Turn one bit in the middle of a layer's values."""
    with h5py.File(path) as file:
        chunk = file[layer].id.get_chunk_info(file[layer].id.get_num_chunks() // 2)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset + chunk.size // 2] ^= 1
    path.write_bytes(content)


def test_layers_come_back_in_their_order_bit_for_bit(stored):
    expected = states()
    found = dict(read_layers(stored, STIMULI))
    assert list(found) == NAMES
    for name, values in found.items():
        assert values.dtype == np.float32
        np.testing.assert_array_equal(values, expected[name])


def test_other_numbers_are_stored_as_float32(tmp_path):
    exact = np.arange(6.0).reshape(3, 2) / 3
    write_activations(tmp_path / "a.h5", tmp_path / "a.json", STIMULI[:3], {"given": exact}, {})
    ((_, found),) = read_layers(tmp_path / "a.h5", STIMULI[:3])
    np.testing.assert_array_equal(found, exact.astype(np.float32), strict=True)


def test_rows_on_disk_give_the_very_files_of_arrays(stored, tmp_path):
    partial = PartialStates.open(tmp_path / "a.partial", {}, len(STIMULI))
    for name, values in states().items():
        for rows in np.array_split(np.random.default_rng(1).permutation(len(STIMULI)), 7):
            partial.write(name, rows, values[rows])
    layers = {name: partial.layer(name) for name in partial.layers}
    write_activations(tmp_path / "b.h5", tmp_path / "b.json", STIMULI, layers, {"dtype": "float32"})
    assert (tmp_path / "b.h5").read_bytes() == stored.read_bytes()
    assert (tmp_path / "b.json").read_bytes() == (tmp_path / "a.json").read_bytes()


def test_the_digest_changes_with_one_value_and_not_with_attributes(stored, tmp_path):
    write_activations(tmp_path / "b.h5", tmp_path / "b.json", STIMULI, states(), {"dtype": "float32", "at": "noon"})
    assert (tmp_path / "b.json").read_bytes() == (tmp_path / "a.json").read_bytes()
    changed = states()
    changed["final"][1499, 299] += 1
    write_activations(tmp_path / "b.h5", tmp_path / "b.json", STIMULI, changed, {"dtype": "float32"})
    one, other = (json.loads((tmp_path / name).read_text())["content"] for name in ("a.json", "b.json"))
    assert {name for name in one if one[name] != other[name]} == {"final"}


def test_a_damaged_layer_is_found_when_it_is_reached_and_the_others_are_read(stored):
    expected = states()
    damage(stored, "block_02")
    layers = read_layers(stored, STIMULI)
    for name in NAMES[:2]:
        found, values = next(layers)
        assert found == name
        np.testing.assert_array_equal(values, expected[name])
    with pytest.raises(UnreadableFileError) as caught:
        next(layers)
    assert caught.value.path == stored
    assert caught.value.reason.startswith("the values of its variable 'block_02' are damaged (")


class Counting(io.FileIO):
    """A file that counts the bytes that are read of it."""

    count = 0

    def readinto(self, buffer, /):
        found = super().readinto(buffer)
        self.count += found
        return found


@pytest.mark.parametrize(("rows", "most"), [(slice(None), 1.02), (slice(0, 10), 0.55)])
def test_reading_a_layer_or_a_part_of_it_reads_no_other(rows, most, stored):
    with Counting(stored) as counted, h5py.File(counted, "r") as file:
        values = file["block_01"][rows]
    np.testing.assert_array_equal(values, states()["block_01"][rows])
    layer = states()["block_01"].nbytes
    assert len(values) / len(STIMULI) * layer <= counted.count <= most * layer


def test_other_stimuli_and_other_files_are_refused(stored, tmp_path):
    with pytest.raises(UnreadableFileError, match="its stimuli are not those of the responses"):
        next(read_layers(stored, STIMULI[::-1]))
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(UnreadableFileError, match="it holds no activations"):
        next(read_layers(tmp_path / "x.h5", STIMULI))


def test_memory_stays_flat_when_rows_on_disk_are_written(tmp_path):
    """400 MB of rows are written by a process that may grow by no more than 100 MB."""
    script = """
        import resource
        from pathlib import Path
        import numpy as np
        from brainalign.activations.partial import PartialStates
        from brainalign.activations.stored import write_activations

        def peak():
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

        ids = np.array([str(row) for row in range(5000)], dtype=object)
        write_activations(Path("w.h5"), Path("w.json"), ids, {"x": np.zeros((5000, 100), dtype=np.float32)}, {})
        before = peak()
        partial = PartialStates.open(Path("partial"), {}, 5000)
        for layer in "abcde":
            for start in range(0, 5000, 500):
                partial.write(layer, np.arange(start, start + 500), np.ones((500, 4096), dtype=np.float32))
            partial.finish({})
        partial = PartialStates.open(Path("partial"), {}, 5000)
        layers = {layer: partial.layer(layer) for layer in partial.layers}
        write_activations(Path("x.h5"), Path("x.json"), ids, layers, {})
        print(peak() - before)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(PACKAGES)},
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (tmp_path / "x.h5").stat().st_size > 400_000_000
    assert float(done.stdout) < 100
