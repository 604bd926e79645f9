import errno
import hashlib
import os
import re
import signal
import subprocess
import sys
import textwrap
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray

from brainalign.errors import UnreadableFileError
from brainalign.storage import (
    Variable,
    _Sink,
    content_digest,
    open_arrays,
    read_arrays,
    read_attributes,
    replacing,
    write_arrays,
    write_json,
)

PACKAGES = Path(__file__).parents[1] / "workflow_scripts"
IDS = ["007", "NA", "1e5", "", "été 🙂", 'a,"b"\nc', " 007 "]


def text(*values: str) -> np.ndarray:
    return np.array(values, dtype=object)


@pytest.fixture
def variables() -> dict[str, Variable]:
    return {
        "responses": Variable(("sample", "neuroid"), np.arange(21, dtype=np.float32).reshape(7, 3)),
        "sample": Variable(("sample",), text(*IDS)),
        "neuroid": Variable(("neuroid",), text("n1", "n2", "n3")),
        "ceiling": Variable(("neuroid",), np.array([0.5, np.nan, 1.0])),
        "counts": Variable(("fold",), np.array([3, 4], dtype=np.int64)),
    }


def hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


# --- what is written is read back ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", "f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 ? >f4 >i8".split())
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3, 2)])
def test_numbers_come_back_with_their_type_and_shape(kind, shape, tmp_path):
    values = (np.arange(np.prod(shape, dtype=int)).reshape(shape) % 3).astype(kind)
    write_arrays(tmp_path / "x.h5", {"x": Variable(tuple("abc")[: len(shape)], values)}, {})
    found = read_arrays(tmp_path / "x.h5", ["x"])["x"]
    assert found.dtype == values.dtype
    assert found.shape == shape
    np.testing.assert_array_equal(found, values)


def test_missing_infinite_and_signed_zeros_come_back_bit_for_bit(tmp_path):
    values = np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324, 1 / 3])
    write_arrays(tmp_path / "x.h5", {"x": Variable(("a",), values)}, {})
    assert read_arrays(tmp_path / "x.h5")["x"].tobytes() == values.tobytes()


@pytest.mark.parametrize("as_stored", [np.array(IDS, dtype=object), np.array(IDS)])
def test_text_comes_back_character_by_character(as_stored, tmp_path):
    write_arrays(tmp_path / "x.h5", {"x": Variable(("a",), as_stored)}, {})
    found = read_arrays(tmp_path / "x.h5")["x"]
    assert found.tolist() == IDS
    assert {type(item) for item in found} == {str}


def test_a_view_that_is_not_contiguous_is_stored_as_it_looks(tmp_path):
    values = np.arange(12.0).reshape(3, 4)[::2, ::-1].T
    write_arrays(tmp_path / "x.h5", {"x": Variable(("a", "b"), values)}, {})
    np.testing.assert_array_equal(read_arrays(tmp_path / "x.h5")["x"], values)


def test_only_the_variables_asked_for_are_read(variables, tmp_path):
    write_arrays(tmp_path / "x.h5", variables, {})
    assert list(read_arrays(tmp_path / "x.h5", ["ceiling", "sample"])) == ["ceiling", "sample"]
    assert set(read_arrays(tmp_path / "x.h5")) == {*variables, "fold"}


def test_attributes_come_back_as_plain_values_however_long(tmp_path):
    attributes = {"spec": "é" * 100_000, "empty": "", "count": 3, "share": 0.1}
    write_arrays(tmp_path / "x.h5", {"x": Variable(("a",), np.zeros(1))}, attributes)
    found = read_attributes(tmp_path / "x.h5")
    assert found == attributes
    assert {key: type(value) for key, value in found.items()} == {key: type(value) for key, value in attributes.items()}


# --- others open it without this project ----------------------------------------------------------------------------


def test_h5py_finds_every_dimension_named(variables, tmp_path):
    write_arrays(tmp_path / "x.h5", variables, {"simulated": 1})
    with h5py.File(tmp_path / "x.h5") as file:
        scales = {name: [scale[0].name for scale in file[name].dims] for name in ("responses", "ceiling", "counts")}
        assert scales == {"responses": ["/sample", "/neuroid"], "ceiling": ["/neuroid"], "counts": ["/fold"]}
        assert {name for name in file if file[name].is_scale} == {"sample", "neuroid", "fold"}
        assert file["fold"][()].tolist() == [0, 1]
        assert file["sample"].asstr()[()].tolist() == IDS
        assert file.attrs["simulated"] == 1


def test_xarray_finds_dimensions_coordinates_and_values(variables, tmp_path):
    write_arrays(tmp_path / "x.h5", variables, {"stage": "a stage"})
    with xarray.open_dataset(tmp_path / "x.h5", engine="h5netcdf") as data:
        assert dict(data.sizes) == {"sample": 7, "neuroid": 3, "fold": 2}
        assert {name: data[name].dims for name in data.data_vars} == {
            "responses": ("sample", "neuroid"),
            "ceiling": ("neuroid",),
            "counts": ("fold",),
        }
        assert set(data.coords) == {"sample", "neuroid", "fold"}
        assert data["sample"].values.tolist() == IDS
        np.testing.assert_array_equal(data["responses"].values, variables["responses"].values)
        assert data["responses"].sel(sample="1e5", neuroid="n2").item() == 7
        assert data.attrs["stage"] == "a stage"


# --- equal input, equal bytes ---------------------------------------------------------------------------------------


def test_equal_input_gives_equal_bytes_in_another_process_and_folder(variables, tmp_path):
    write_arrays(tmp_path / "x.h5", variables, {"b": 1, "a": "z"})
    write_arrays(tmp_path / "other" / "y.h5", variables, {"a": "z", "b": 1})
    script = f"""
        import numpy as np
        from brainalign.storage import Variable, write_arrays
        text = lambda *values: np.array(values, dtype=object)
        write_arrays("x.h5", {{
            "responses": Variable(("sample", "neuroid"), np.arange(21, dtype=np.float32).reshape(7, 3)),
            "sample": Variable(("sample",), text(*{IDS!r})),
            "neuroid": Variable(("neuroid",), text("n1", "n2", "n3")),
            "ceiling": Variable(("neuroid",), np.array([0.5, np.nan, 1.0])),
            "counts": Variable(("fold",), np.array([3, 4], dtype=np.int64)),
        }}, {{"b": 1, "a": "z"}})
    """
    (tmp_path / "third").mkdir()
    in_process(script, tmp_path / "third", check=True)
    first = (tmp_path / "x.h5").read_bytes()
    assert (tmp_path / "other" / "y.h5").read_bytes() == first
    assert (tmp_path / "third" / "x.h5").read_bytes() == first


@pytest.mark.parametrize(
    "other",
    [
        Variable(("a", "b"), np.array([[1.0, 2.0]])),
        Variable(("a",), np.array([1, 2])),
        Variable(("a",), np.array([1.0, 2.0], dtype=np.float32)),
        Variable(("a",), np.array([1.0, 2.5])),
        Variable(("b",), np.array([1.0, 2.0])),
    ],
)
def test_a_digest_tells_values_types_shapes_and_dimensions_apart(other):
    one = Variable(("a",), np.array([1.0, 2.0]))
    assert content_digest({"x": one}) == content_digest({"x": Variable(("a",), one.values.copy())})
    assert content_digest({"x": one}) != content_digest({"x": other})


def test_a_digest_of_text_is_that_of_its_characters():
    objects = Variable(("a",), text("a", "bc"))
    assert content_digest({"x": objects}) == content_digest({"x": Variable(("a",), np.array(["a", "bc"]))})
    assert content_digest({"x": objects}) != content_digest({"x": Variable(("a",), text("ab", "c"))})
    empty = {"e": Variable(("a", "b"), np.zeros((0, 3)))}
    assert content_digest(empty) != content_digest({"e": Variable(("a", "b"), np.zeros((3, 0)))})


# --- whole or not at all --------------------------------------------------------------------------------------------


def in_process(script: str, folder: Path, check: bool = False) -> int:
    command = [sys.executable, "-c", textwrap.dedent(script)]
    environment = os.environ | {"PYTHONPATH": str(PACKAGES)}
    return subprocess.run(command, cwd=folder, env=environment, check=check, timeout=60).returncode


def test_an_exception_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("old")

    def write_half() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half of the n")
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        write_half()
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["x.txt"]


def test_a_variable_that_cannot_be_stored_leaves_the_old_file(variables, tmp_path):
    path = tmp_path / "x.h5"
    write_arrays(path, variables, {})
    before = path.read_bytes()
    with pytest.raises(TypeError):
        write_arrays(path, {"x": Variable(("a",), np.array([object()], dtype=object))}, {})
    assert path.read_bytes() == before
    assert hidden(tmp_path) == []


def test_a_killed_writer_leaves_the_old_file(variables, tmp_path):
    path = tmp_path / "x.h5"
    write_arrays(path, variables, {})
    before = path.read_bytes()
    script = """
        import os
        from pathlib import Path
        import h5py
        from brainalign.storage import replacing
        with replacing(Path("x.h5")) as temporary:
            file = h5py.File(temporary, "w")
            file["half"] = list(range(1000))
            file.flush()
            os._exit(9)
    """
    assert in_process(script, tmp_path) == 9
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir() if not item.name.startswith(".")] == ["x.h5"]


def test_a_killed_first_writer_leaves_no_file_under_the_name(tmp_path):
    script = """
        import os
        from pathlib import Path
        from brainalign.storage import replacing
        with replacing(Path("x.h5")) as temporary:
            temporary.write_bytes(b"half")
            os._exit(9)
    """
    assert in_process(script, tmp_path) == 9
    assert not (tmp_path / "x.h5").exists()


def test_a_written_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "plain").write_text("")
    write_json(tmp_path / "x.json", {})
    assert (tmp_path / "x.json").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_json_is_canonical_and_refuses_what_json_has_no_word_for(tmp_path):
    write_json(tmp_path / "x.json", {"b": "é", "a": [1, None]})
    assert (tmp_path / "x.json").read_text(encoding="utf-8") == '{\n "a": [\n  1,\n  null\n ],\n "b": "é"\n}\n'
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "x.json", {"a": float("nan")})
    assert (tmp_path / "x.json").read_text(encoding="utf-8").startswith('{\n "a": [')


BIG = """
    import resource, sys
    from pathlib import Path
    import numpy as np
    from brainalign.storage import Variable, write_arrays
    variables = {name: Variable(("a", f"of_{name}"), np.ones((300, 3000), dtype=np.float32)) for name in "xyz"}
"""


@pytest.mark.parametrize("limit", [0, 1, 3000, 100_000, 1_500_000, 5_000_000, 9_000_000, 10_812_000])
def test_a_write_that_fails_anywhere_is_an_error_with_the_files_name_and_no_crash(limit, tmp_path):
    script = f"""{BIG}
    resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
    try:
        write_arrays(Path("x.h5"), variables, {{}})
    except OSError as error:
        sys.exit(f"{{error.errno}} {{error.filename}}")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(PACKAGES)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr.strip()) == (1, f"{errno.EFBIG} x.h5")
    assert list(tmp_path.iterdir()) == []


def test_the_limits_of_the_test_above_are_below_the_files_size(tmp_path):
    in_process(f'{BIG}\n    write_arrays(Path("x.h5"), variables, {{}})', tmp_path, check=True)
    assert 10_812_000 < (tmp_path / "x.h5").stat().st_size < 11_000_000


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_told_as_such(variables, tmp_path, monkeypatch):
    @contextmanager
    def on_a_full_disk(path):
        yield Path("/dev/full")

    monkeypatch.setattr("brainalign.storage.replacing", on_a_full_disk)
    with pytest.raises(OSError, match="No space left on device") as caught:
        write_arrays(tmp_path / "x.h5", variables, {})
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(tmp_path / "x.h5"))


def test_an_interruption_during_a_write_is_raised_when_hdf5_is_done(tmp_path):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    os.mkfifo(tmp_path / "pipe")
    sink = _Sink(tmp_path / "pipe", tmp_path / "x.h5")
    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        assert sink.write(bytes(10_000_000)) == 10_000_000  # more than a pipe holds, and nobody reads
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    with pytest.raises(KeyboardInterrupt), sink:
        pass
    assert sink.closed


# --- variables larger than memory -----------------------------------------------------------------------------------


class OnDisk:
    """Values that are read when they are sliced; remembers how much was asked for at a time."""

    def __init__(self, values: np.ndarray) -> None:
        self._values, self.pieces = values, []
        self.shape, self.dtype = values.shape, values.dtype

    def __getitem__(self, rows: slice, /) -> np.ndarray:
        assert isinstance(rows, slice)
        self.pieces.append(self._values[rows].nbytes)
        return self._values[rows].copy()


def random(shape: tuple[int, ...], kind: str, seed: int = 0) -> np.ndarray:
    size = int(np.prod(shape)) * np.dtype(kind).itemsize
    return np.frombuffer(np.random.default_rng(seed).bytes(size), dtype=kind).reshape(shape)


SHAPES = [((2500, 1000), "f4"), ((700, 40, 100), "f8"), ((5, 400_000), "f4"), ((9_000_001,), "u1"), ((10, 3), ">i2")]
SHAPES += [((0, 7), "f4"), ((7, 0), "f4"), ((2, 0, 5), "f8"), ((1, 3_000_000), "f4"), ((20_000, 1, 1), "f4")]


@pytest.mark.parametrize(("shape", "kind"), SHAPES)
def test_values_read_piece_by_piece_give_the_files_and_digests_of_an_array(shape, kind, tmp_path):
    values = random(shape, kind)
    dims = tuple("abc")[: values.ndim]
    lazy = OnDisk(values)
    for name, held in (("one", values), ("two", lazy)):
        write_arrays(tmp_path / name, {"x": Variable(dims, held)}, {})
    assert read_arrays(tmp_path / "two", ["x"])["x"].tobytes() == values.tobytes()
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert content_digest({"x": Variable(dims, lazy)}) == content_digest({"x": Variable(dims, values)})
    row = values.nbytes // max(1, len(values))
    assert max(lazy.pieces, default=0) <= max(row, 1 << 23)


@pytest.mark.parametrize(("shape", "kind"), [*SHAPES, ((), "f8")])
def test_a_digest_is_that_of_dimensions_type_shape_and_all_bytes(shape, kind):
    values = random(shape, kind)
    dims = tuple("abc")[: values.ndim]
    expected = hashlib.sha256(repr((dims, values.dtype.str, shape)).encode() + values.tobytes()).hexdigest()
    assert content_digest({"x": Variable(dims, values)}) == {"x": expected}
    if values.ndim > 1:
        turned = np.asfortranarray(values)
        assert content_digest({"x": Variable(dims, turned)}) == {"x": expected}


@pytest.mark.parametrize(
    ("shape", "kind", "chunk"),
    [
        ((5000, 4096), "f4", (64, 4096)),
        ((1000, 64), "f4", (1000, 64)),
        ((5000, 100), "f4", (2500, 100)),  # 2 MB in two chunks of one size, not in 2621 and 2379 rows
        ((3, 400_000), "f4", (1, 200_000)),
        ((4, 300, 1000), "f8", (1, 100, 1000)),
        ((65_536,), "u1", (65_536,)),
        ((65_535,), "u1", None),
        ((100, 100), "f4", None),
    ],
)
def test_large_variables_lie_in_whole_rows_with_a_checksum_and_small_ones_in_one_piece(shape, kind, chunk, tmp_path):
    values = np.zeros(shape, dtype=kind)
    write_arrays(tmp_path / "x.h5", {"x": Variable(tuple("abc")[: len(shape)], values)}, {})
    with h5py.File(tmp_path / "x.h5") as file:
        assert file["x"].chunks == chunk
        assert file["x"].fletcher32 is (chunk is not None)
        assert file["x"].compression is None


def chunked() -> dict[str, Variable]:
    return {
        "x": Variable(("a", "b"), random((3000, 200), "f4").copy()),
        "y": Variable(("a", "b"), random((3000, 200), "f4", seed=1).copy()),
        "a": Variable(("a",), np.array([f"s{row}" for row in range(3000)], dtype=object)),
    }


@pytest.mark.parametrize("place", [0, 1, 200_000, 1_199_999, 1_200_000, 2_399_999])
def test_a_damaged_byte_is_found_and_told_with_variable_and_file(place, tmp_path):
    path = tmp_path / "x.h5"
    variables = chunked()
    write_arrays(path, variables, {})
    with h5py.File(path) as file:
        chunks = [file["y"].id.get_chunk_info(index) for index in range(file["y"].id.get_num_chunks())]
    assert [chunk.size for chunk in chunks] == [800_004] * 3  # with their checksums
    content = bytearray(path.read_bytes())
    content[chunks[place // 800_000].byte_offset + place % 800_000] ^= 0x10
    path.write_bytes(content)
    for names in (["y"], None):
        with pytest.raises(UnreadableFileError) as caught:
            read_arrays(path, names)
        assert caught.value.path == path
        assert caught.value.reason.startswith(
            "the values of its variable 'y' are damaged (Can't synchronously read data"
        )
    np.testing.assert_array_equal(read_arrays(path, ["x"])["x"], variables["x"].values)


@pytest.mark.parametrize("mark", [b"\x89HDF", b"TREE", b"SNOD", b"HEAP", b"GCOL", b"s42"])
def test_damage_of_the_structure_and_of_text_is_told_as_such(mark, tmp_path):
    path = tmp_path / "x.h5"
    write_arrays(path, chunked(), {"note": "é" * 50})
    content = path.read_bytes()
    assert mark in content
    path.write_bytes(content.replace(mark, b"\xff" * len(mark)))
    with pytest.raises(UnreadableFileError) as caught:
        read_arrays(path)
    assert caught.value.path == path


def test_xarray_reads_chunks(tmp_path):
    write_arrays(tmp_path / "x.h5", chunked(), {})
    with xarray.open_dataset(tmp_path / "x.h5", engine="h5netcdf") as data:
        np.testing.assert_array_equal(data["x"].values, chunked()["x"].values)
        np.testing.assert_array_equal(data["y"].sel(a="s2999").values, chunked()["y"].values[2999])


def test_chunks_with_room_to_spare_are_equal_bytes_in_another_process(tmp_path):
    script = """
        import numpy as np
        from pathlib import Path
        from brainalign.storage import Variable, write_arrays
        junk = [np.full(500_000, 7.5) for _ in range(20)]
        del junk  # memory that is not zero is handed out again
        values = np.arange(2_001 * 500, dtype=np.float32).reshape(2_001, 500)
        write_arrays(Path("x.h5"), {"x": Variable(("a", "b"), values)}, {})
    """
    in_process(script, tmp_path, check=True)
    values = np.arange(2_001 * 500, dtype=np.float32).reshape(2_001, 500)
    write_arrays(tmp_path / "y.h5", {"x": Variable(("a", "b"), values)}, {})
    with h5py.File(tmp_path / "y.h5") as file:
        assert 2_001 % file["x"].chunks[0] != 0
    assert (tmp_path / "x.h5").read_bytes() == (tmp_path / "y.h5").read_bytes()


# --- files that cannot be used --------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.3, 0.5, 0.8, 0.99, 0.9999])
def test_a_truncated_file_is_unreadable_with_its_reason(share, variables, tmp_path):
    path = tmp_path / "x.h5"
    write_arrays(path, variables, {})
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    for read in (read_arrays, read_attributes):
        with pytest.raises(UnreadableFileError) as caught:
            read(path)
        assert caught.value.path == path
        assert caught.value.reason.startswith("HDF5 cannot read it (Unable to synchronously open file (")
        assert str(caught.value) == f"{path}: {caught.value.reason}"


@pytest.mark.parametrize("content", [b"", b"stimulus_id,text\n1,a\n" * 100, bytes(5000), b"\x89HDF\r\n\x1a\n"])
def test_a_foreign_file_is_unreadable(content, tmp_path):
    path = tmp_path / "x.h5"
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError) as caught:
        read_arrays(path)
    assert caught.value.reason.startswith("HDF5 cannot read it (Unable to synchronously open file (")


def test_somebody_elses_netcdf_is_unreadable_for_want_of_the_variable(tmp_path):
    path = tmp_path / "x.nc"
    xarray.Dataset({"temperature": ("time", np.arange(3.0))}).to_netcdf(path, engine="h5netcdf")
    assert set(read_arrays(path)) == {"temperature", "time"}
    with pytest.raises(UnreadableFileError) as caught:
        read_arrays(path, ["temperature", "responses"])
    assert str(caught.value) == f"{path}: it has no variable 'responses'"


def test_a_group_is_no_variable(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_group("responses")
    with pytest.raises(UnreadableFileError) as caught:
        read_arrays(tmp_path / "x.h5")
    assert caught.value.reason == "it has no variable 'responses'"


def test_a_missing_file_is_missing_by_name(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        read_arrays(tmp_path / "x.h5")
    assert caught.value.filename == str(tmp_path / "x.h5")


def test_a_file_that_somebody_is_writing_is_not_called_unreadable(variables, tmp_path):
    path = tmp_path / "x.h5"
    write_arrays(path, variables, {})
    script = """
        import errno, sys
        from pathlib import Path
        from brainalign.storage import read_arrays
        try:
            read_arrays(Path("x.h5"))
        except BlockingIOError as error:
            sys.exit(3 if error.filename == "x.h5" and error.errno == errno.EAGAIN else 4)
    """
    with h5py.File(path, "r+"):
        assert in_process(script, tmp_path) == 3


def test_what_fails_in_the_block_for_other_reasons_keeps_its_name(variables, tmp_path):
    write_arrays(tmp_path / "x.h5", variables, {})
    with pytest.raises(FileNotFoundError) as caught, open_arrays(tmp_path / "x.h5"):
        (tmp_path / "other.txt").read_text()
    assert caught.value.filename == str(tmp_path / "other.txt")


# --- dimensions that do not fit -------------------------------------------------------------------------------------


def inconsistent() -> dict[str, tuple[dict[str, Variable], str]]:
    line, square = np.zeros(3), np.zeros((3, 2))
    return {
        "too few names": (
            {"x": Variable(("a",), square)},
            "variable 'x' has shape (3, 2) but dimensions ('a',)",
        ),
        "too many names": (
            {"x": Variable(("a", "b"), line)},
            "variable 'x' has shape (3,) but dimensions ('a', 'b')",
        ),
        "two lengths": (
            {"x": Variable(("a",), line), "y": Variable(("b", "a"), square)},
            "dimension 'a' is 3 long, but 2 in variable 'y'",
        ),
        "coordinate of another length": (
            {"x": Variable(("a",), line), "a": Variable(("a",), np.zeros(2))},
            "dimension 'a' is 3 long, but 2 in variable 'a'",
        ),
        "coordinate along others": (
            {"x": Variable(("a", "b"), square), "a": Variable(("b",), np.zeros(2))},
            "variable 'a' is a dimension's coordinate, but has dimensions ('b',)",
        ),
        "scalar coordinate": (
            {"x": Variable(("a",), line), "a": Variable((), np.array(1.0))},
            "variable 'a' is a dimension's coordinate, but has dimensions ()",
        ),
    }


@pytest.mark.parametrize("case", inconsistent())
def test_inconsistent_dimensions_are_refused_and_nothing_is_written(case, tmp_path):
    variables, sentence = inconsistent()[case]
    with pytest.raises(ValueError, match=re.escape(sentence)) as caught:
        write_arrays(tmp_path / "x.h5", variables, {})
    assert str(caught.value) == sentence
    assert list(tmp_path.iterdir()) == []
