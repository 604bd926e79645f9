"""Partial work: what was finished survives, what was not is done again, and nothing else is touched."""

import errno
import json
import logging
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brainalign.activations.partial import PartialStates
from brainalign.errors import InputError

PACKAGES = Path(__file__).parents[2] / "workflow_scripts"
KEY = {"model": {"commit": "abc", "dtype": "float32"}, "budget": 4096}
ROWS = 24
WIDTHS = {"embeddings": 8, "block_01": 5, "a/b: é": 0, "final": 3}
STEPS = np.array_split(np.random.default_rng(0).permutation(ROWS), 6)


def states(layer: str, rows: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return what a model would give for these rows."""
    everything = np.random.default_rng([seed, WIDTHS[layer]]).standard_normal((ROWS, WIDTHS[layer]))
    return everything.astype(np.float32)[rows]


def work(partial: PartialStates, stop: int = len(STEPS)) -> int:
    """Do the steps that are not finished, and return how many those were."""
    done = {step["batch"] for step in partial.steps}
    left = [batch for batch in range(stop) if batch not in done]
    for batch in left:
        for layer in WIDTHS:
            partial.write(layer, STEPS[batch], states(layer, STEPS[batch]))
        partial.finish({"batch": batch})
    return len(left)


def check_whole(partial: PartialStates) -> None:
    assert [step["batch"] for step in partial.steps] == list(range(len(STEPS)))
    assert partial.layers == list(WIDTHS)
    for layer in WIDTHS:
        np.testing.assert_array_equal(partial.layer(layer)[:], states(layer, np.arange(ROWS)), strict=True)


def opened(folder: Path, key: Any = KEY, rows: int = ROWS) -> PartialStates:
    return PartialStates.open(folder, key, rows)


def of_layer(folder: Path, layer: str) -> Path:
    return sorted(folder.glob("layer_*"))[list(WIDTHS).index(layer)]


def turn_bit(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


# --- without interruption -------------------------------------------------------------------------------------------


def test_what_is_written_is_read_by_slices(tmp_path):
    partial = opened(tmp_path / "p")
    assert (partial.steps, partial.layers) == ([], [])
    assert work(partial) == len(STEPS)
    check_whole(partial)
    rows = partial.layer("embeddings")
    assert (rows.shape, rows.dtype, len(rows)) == ((ROWS, 8), np.float32, ROWS)
    expected = states("embeddings", np.arange(ROWS))
    for piece in (slice(3, 9), slice(None, 2), slice(-4, None), slice(20, 99), slice(9, 3), slice(5, 6, 1)):
        np.testing.assert_array_equal(rows[piece], expected[piece], strict=True)


@pytest.mark.parametrize("rows", [3, slice(0, 9, 2), [1, 2], (slice(0, 2), 1)])
def test_rows_are_read_by_nothing_but_slices(rows, tmp_path):
    partial = opened(tmp_path / "p")
    work(partial, 1)
    with pytest.raises(TypeError, match="rows on disk are read by slices of neighbouring ones, not by "):
        partial.layer("final")[rows]


def test_of_equal_rows_the_last_counts_as_in_numpy(tmp_path):
    partial = opened(tmp_path / "p")
    rows = np.array([5, 2, 5, 3, 2])
    given = np.arange(10, dtype=np.float32).reshape(5, 2)
    partial.write("x", rows, given)
    partial.finish({})
    expected = np.zeros((ROWS, 2), dtype=np.float32)
    expected[rows] = given
    np.testing.assert_array_equal(partial.layer("x")[:], expected)
    assert opened(tmp_path / "p").steps == [{}]


@pytest.mark.parametrize(
    ("rows", "shape", "said"),
    [
        ([0, 1], (3, 4), r"states \(3, 4\) of layer 'x' do not fit rows \(2,\) int64"),
        ([0], (4,), r"states \(4,\) of layer 'x' do not fit rows \(1,\) int64"),
        ([True, False], (2, 4), r"states \(2, 4\) of layer 'x' do not fit rows \(2,\) bool"),
        ([0, ROWS], (2, 4), "layer 'x' has rows 0 to 23, not 0 to 24"),
        ([-1], (1, 4), "layer 'x' has rows 0 to 23, not -1 to -1"),
        ([0], (1, 5), "layer 'x' is 4 wide, not 5"),
    ],
)
def test_rows_that_are_none_and_shapes_that_do_not_fit_are_refused(rows, shape, said, tmp_path):
    partial = opened(tmp_path / "p")
    partial.write("x", np.array([0]), np.ones((1, 4), dtype=np.float32))
    with pytest.raises(ValueError, match=said):
        partial.write("x", np.array(rows), np.zeros(shape, dtype=np.float32))
    np.testing.assert_array_equal(partial.layer("x")[0:2], [[1] * 4, [0] * 4])


@pytest.mark.parametrize("step", [{"a": {1, 2}}, {"a": float("nan")}])
def test_a_step_without_a_form_in_json_is_refused_and_does_not_count(step, tmp_path):
    partial = opened(tmp_path / "p")
    with pytest.raises((TypeError, ValueError)):
        partial.finish(step)
    assert partial.steps == opened(tmp_path / "p").steps == []


def test_steps_are_the_same_in_this_run_and_in_the_next(tmp_path):
    partial = opened(tmp_path / "p")
    partial.finish({"passes": (1, 2), "budget": 3, "é": {"b": None, "a": "x\n\r\u2028"}})
    assert partial.steps == [{"passes": [1, 2], "budget": 3, "é": {"b": None, "a": "x\n\r\u2028"}}]
    assert opened(tmp_path / "p").steps == partial.steps


def test_removing_takes_scratch_and_all_and_closes_the_files(tmp_path):
    partial = opened(tmp_path / "p")
    work(partial, 2)
    (partial.scratch() / "deep").mkdir()
    (partial.scratch() / "deep" / "spill").write_bytes(b"x")
    final = partial.layer("final")
    partial.remove()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="closed file"):
        final[:]


# --- going on -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", range(len(STEPS) + 1))
def test_another_run_goes_on_after_the_finished_steps(before, tmp_path, caplog):
    work(opened(tmp_path / "p"), before)
    (opened(tmp_path / "p").scratch() / "spill").write_bytes(b"x")
    caplog.clear()
    with caplog.at_level(logging.INFO):
        partial = opened(tmp_path / "p")
    said = [f"going on from {before} finished steps in {tmp_path / 'p'}"] if before else []
    assert [record.getMessage() for record in caplog.records] == said
    assert (partial.scratch() / "spill").read_bytes() == b"x"
    assert partial.layers == (list(WIDTHS) if before else [])
    assert work(partial) == len(STEPS) - before
    check_whole(partial)


def test_a_step_that_was_not_finished_is_done_again(tmp_path):
    partial = opened(tmp_path / "p")
    work(partial, 2)
    partial.write("embeddings", STEPS[2], states("embeddings", STEPS[2], seed=9))
    partial.write("not there any more", STEPS[2], np.ones((4, 99), dtype=np.float32))
    again = opened(tmp_path / "p")
    assert again.layers == list(WIDTHS)
    assert work(again) == 4
    check_whole(again)


KILLED = """
    import os, signal, sys
    sys.path[:0] = [{packages!r}, {tests!r}]
    from pathlib import Path
    import test_partial

    left, half = {call}, {half}
    def deadly(function):
        def call(descriptor, data, *place):
            global left
            left -= 1
            if left == 0:
                if half:
                    function(descriptor, bytes(data)[: len(data) // 2], *place)
                os.kill(os.getpid(), signal.SIGKILL)
            return function(descriptor, data, *place)
        return call

    os.pwrite, os.write = deadly(os.pwrite), deadly(os.write)
    partial = test_partial.opened(Path("p"))
    test_partial.work(partial)
"""


def killed(folder: Path, call: int, half: bool) -> bool:
    """Work in a process that is killed at a call of write or pwrite, before it or half-way; True if it was."""
    names = {"packages": str(PACKAGES), "tests": str(Path(__file__).parent), "call": call, "half": half}
    script = textwrap.dedent(KILLED.format(**names))
    status = subprocess.run([sys.executable, "-c", script], cwd=folder, timeout=60).returncode
    assert status in (0, -signal.SIGKILL)
    return status != 0


def writes() -> list[tuple[int, int]]:
    """Return, for each call of write or pwrite of the whole work in order, the steps that were finished before it."""
    found = []
    for batch, rows in enumerate(STEPS):
        pieces = 1 + int((np.diff(np.sort(rows)) != 1).sum())
        found += [batch] * (pieces * sum(width > 0 for width in WIDTHS.values()) + 1)
    return list(enumerate(found, start=1))


POINTS = np.linspace(0, len(writes()) - 1, 9, dtype=int)


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize(("call", "finished"), [writes()[point] for point in POINTS])
def test_a_process_killed_at_any_write_loses_only_its_unfinished_step(call, finished, half, tmp_path):
    assert killed(tmp_path, call, half)
    partial = opened(tmp_path / "p")
    assert len(partial.steps) == finished
    assert work(partial) == len(STEPS) - finished
    check_whole(partial)
    whole = opened(tmp_path / "whole")
    work(whole)
    assert contents(tmp_path / "p") == contents(tmp_path / "whole")


def test_the_calls_of_the_test_above_are_all_that_there_are(tmp_path):
    assert killed(tmp_path, len(writes()), False)
    assert not killed(tmp_path / "p", len(writes()) + 1, False)


def test_a_process_killed_again_and_again_comes_to_an_end(tmp_path):
    kills = 0
    while killed(tmp_path, 14, True):  # one more than the longest step takes
        kills += 1
        assert kills < len(STEPS)
    assert kills >= 3
    partial = opened(tmp_path / "p")
    check_whole(partial)


# --- damage ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [1, 2, 30, -1])
def test_a_torn_line_of_the_journal_is_dropped_with_its_step(cut, tmp_path):
    work(opened(tmp_path / "p"), 3)
    journal = tmp_path / "p" / "journal"
    lines = journal.read_bytes().splitlines(keepends=True)
    torn = lines[2][:-cut] if cut > 0 else b""
    journal.write_bytes(b"".join(lines[:2]) + torn)
    partial = opened(tmp_path / "p")
    assert journal.read_bytes() == b"".join(lines[:2])
    assert work(partial) == 4
    check_whole(partial)
    check_whole(opened(tmp_path / "p"))


@pytest.mark.parametrize("line", [0, 1, 2])
def test_a_damaged_line_is_dropped_with_all_after_it(line, tmp_path):
    work(opened(tmp_path / "p"), 3)
    journal = tmp_path / "p" / "journal"
    lines = journal.read_bytes().splitlines(keepends=True)
    turn_bit(journal, len(b"".join(lines[:line])) + 40)
    partial = opened(tmp_path / "p")
    assert work(partial) == len(STEPS) - line
    check_whole(partial)


@pytest.mark.parametrize("layer", ["embeddings", "final"])
@pytest.mark.parametrize("step", range(len(STEPS)))
def test_a_damaged_row_drops_its_step_and_all_after_it(step, layer, tmp_path, caplog):
    work(opened(tmp_path / "p"))
    turn_bit(of_layer(tmp_path / "p", layer), int(STEPS[step][1]) * WIDTHS[layer] * 4 + 5)
    with caplog.at_level(logging.INFO):
        partial = opened(tmp_path / "p")
    assert len(partial.steps) == step
    lost = len(STEPS) - step
    assert caplog.records[-1].getMessage() == (
        f"going on from {step} finished steps in {tmp_path / 'p'}; "
        f"{lost} more are done again, since their rows are not as they were written"
    )
    assert work(partial) == lost
    check_whole(partial)
    check_whole(opened(tmp_path / "p"))


@pytest.mark.parametrize("damage", ["missing", "empty", "short"])
def test_a_layers_file_that_lost_its_rows_drops_the_steps(damage, tmp_path):
    work(opened(tmp_path / "p"))
    path = of_layer(tmp_path / "p", "block_01")
    if damage == "missing":
        path.unlink()
    else:
        os.truncate(path, 0 if damage == "empty" else path.stat().st_size - 1)
    partial = opened(tmp_path / "p")
    assert len(partial.steps) < len(STEPS)
    work(partial)
    check_whole(partial)


def test_a_finished_step_that_a_later_one_wrote_again_still_counts(tmp_path):
    partial = opened(tmp_path / "p")
    for seed in (1, 0):
        for batch, rows in enumerate(STEPS[:3]):
            partial.write("embeddings", rows, states("embeddings", rows, seed))
            partial.finish({"batch": batch, "seed": seed})
    steps = partial.steps
    assert opened(tmp_path / "p").steps == steps
    turn_bit(of_layer(tmp_path / "p", "embeddings"), int(STEPS[1][0]) * 32)
    # the damaged row is the fifth step's; without it the second, whose rows are gone, does not hold either, and so on
    assert opened(tmp_path / "p").steps == []


def test_a_row_written_again_by_a_step_that_was_not_finished_drops_its_step(tmp_path):
    partial = opened(tmp_path / "p")
    work(partial, 3)
    partial.write("final", STEPS[1][:1], states("final", STEPS[1][:1], seed=9))
    again = opened(tmp_path / "p")
    assert again.steps == [{"batch": 0}]
    work(again)
    check_whole(again)


# --- another work, another folder -----------------------------------------------------------------------------------


OTHERS: dict[str, tuple[Any, int, str]] = {
    "value": ({**KEY, "budget": 1}, ROWS, "it is of another budget"),
    "deeper": ({**KEY, "model": {"commit": "abd", "dtype": "float32"}}, ROWS, "it is of another model"),
    "type": ({**KEY, "budget": 4096.0}, ROWS, "it is of another budget"),
    "more": ({**KEY, "pooling": None}, ROWS, "it is of another pooling"),
    "less": ({}, ROWS, "it is of another budget, model"),
    "rows": (KEY, ROWS + 1, f"it is of {ROWS} rows, not {ROWS + 1}"),
}


@pytest.mark.parametrize("case", OTHERS)
def test_another_key_or_number_of_rows_begins_anew_and_says_why(case, tmp_path, caplog):
    key, rows, why = OTHERS[case]
    partial = opened(tmp_path / "p")
    work(partial, 3)
    (partial.scratch() / "spill").write_bytes(b"x")
    partial = opened(tmp_path / "p", key, rows)
    assert [record.getMessage() for record in caplog.records] == [f"beginning anew in {tmp_path / 'p'}: {why}"]
    assert (partial.steps, partial.layers) == ([], [])
    assert sorted(contents(tmp_path / "p")) == ["journal", "partial-states.json"]
    assert not (tmp_path / "p" / "scratch").exists()
    work(partial)
    assert len(opened(tmp_path / "p", key, rows).steps) == len(STEPS)


def test_the_order_of_a_key_does_not_matter(tmp_path):
    work(opened(tmp_path / "p"), 3)
    turned = {"budget": 4096, "model": {"dtype": "float32", "commit": "abc"}}
    assert len(opened(tmp_path / "p", turned).steps) == 3


@pytest.mark.parametrize(
    "header", [b"", b"{", b"[]", b'{"format": 1}', b"\xff", b'{"format": 1, "rows": 24, "key": 3}']
)
def test_a_header_that_cannot_be_read_begins_anew(header, tmp_path, caplog):
    work(opened(tmp_path / "p"), 3)
    (tmp_path / "p" / "partial-states.json").write_bytes(header)
    assert opened(tmp_path / "p").steps == []
    assert caplog.records[0].getMessage() == f"beginning anew in {tmp_path / 'p'}: its header cannot be read"


def test_partial_work_of_another_format_begins_anew(tmp_path, caplog):
    work(opened(tmp_path / "p"), 3)
    path = tmp_path / "p" / "partial-states.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 0}))
    assert opened(tmp_path / "p").steps == []
    assert caplog.records[0].getMessage() == f"beginning anew in {tmp_path / 'p'}: it is of format 0, not 1"


def test_a_folder_of_somebody_else_is_refused_and_left_as_it_is(tmp_path):
    (tmp_path / "p" / "letters").mkdir(parents=True)
    (tmp_path / "p" / "thesis.tex").write_text("all of it")
    with pytest.raises(InputError) as caught:
        opened(tmp_path / "p")
    assert str(caught.value) == (
        f"the folder {tmp_path / 'p'} holds 'letters', which no extraction left there; "
        "move it away, since states of an extraction under way are to be kept under this name."
    )
    assert (tmp_path / "p" / "thesis.tex").read_text() == "all of it"
    with pytest.raises(InputError, match=r"thesis\.tex is a file; move it away"):
        opened(tmp_path / "p" / "thesis.tex")
    assert sorted(path.name for path in (tmp_path / "p").iterdir()) == ["letters", "thesis.tex"]


def test_an_empty_folder_and_one_of_a_killed_beginning_are_taken(tmp_path):
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / ".partial-states.json.abcd.tmp").write_text("{")
    work(opened(tmp_path / "p"))
    check_whole(opened(tmp_path / "p"))


@pytest.mark.parametrize("point", range(1, 12))
def test_a_clearing_killed_at_any_point_is_taken_up(point, tmp_path, monkeypatch):
    partial = opened(tmp_path / "p")
    work(partial)
    (partial.scratch() / "spill").write_bytes(b"x")
    left = point

    class Killed(BaseException):
        pass

    def deadly(function):
        def call(*arguments, **named):
            nonlocal left
            left -= 1
            if left == 0:
                raise Killed
            return function(*arguments, **named)

        return call

    with monkeypatch.context() as patch:
        for name in ("unlink", "rmdir"):
            patch.setattr(os, name, deadly(getattr(os, name)))
        try:
            partial.remove()
            assert left > 0
        except Killed:
            pass
    again = opened(tmp_path / "p")
    assert len(again.steps) in ({len(STEPS)} if point == 1 else {0})
    work(again)
    check_whole(again)


# --- a full disk, and others that refuse ----------------------------------------------------------------------------


def refusing(number: int):
    def refuse(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    return refuse


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="this system cannot reserve disk space")
def test_a_layers_space_is_taken_at_its_first_write(tmp_path):
    partial = PartialStates.open(tmp_path / "p", KEY, 1000)
    partial.write("x", np.array([0]), np.ones((1, 1000), dtype=np.float32))
    (path,) = (tmp_path / "p").glob("layer_*")
    assert path.stat().st_size == 4_000_000
    assert path.stat().st_blocks * 512 >= 4_000_000


def test_a_disk_too_small_is_an_error_at_the_first_write_with_the_files_name(tmp_path, monkeypatch):
    partial = opened(tmp_path / "p")
    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", refusing(errno.ENOSPC), raising=False)
        with pytest.raises(OSError, match="No space left on device") as caught:
            work(partial)
    assert caught.value.errno == errno.ENOSPC
    assert Path(caught.value.filename).parent == tmp_path / "p"
    assert partial.layers == []
    work(partial)  # when there is space again
    check_whole(opened(tmp_path / "p"))


@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS])
def test_a_file_system_without_reservation_will_do(number, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "posix_fallocate", refusing(number), raising=False)
    partial = opened(tmp_path / "p")
    partial.write("embeddings", np.array([1]), np.ones((1, 8), dtype=np.float32))
    assert partial.layer("embeddings")[:].sum() == 8  # rows that nobody wrote are zeros, not missing
    work(partial)
    check_whole(opened(tmp_path / "p"))


def test_a_system_without_reservation_will_do(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "posix_fallocate", raising=False)
    work(opened(tmp_path / "p"))
    check_whole(opened(tmp_path / "p"))


@pytest.mark.parametrize("name", ["pwrite", "write"])
def test_a_write_that_fails_has_the_files_name_and_loses_only_its_step(name, tmp_path, monkeypatch):
    partial = opened(tmp_path / "p")
    work(partial, 2)
    journal = (tmp_path / "p" / "journal").read_bytes()
    real = getattr(os, name)

    def torn(descriptor: int, data: Any, *place: int) -> int:
        if len(data) < 4:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(descriptor, bytes(data)[: len(data) // 2], *place)

    with monkeypatch.context() as patch:
        patch.setattr(os, name, torn)
        with pytest.raises(OSError, match="No space left on device") as caught:
            work(partial, 3)
    assert Path(caught.value.filename).parent == tmp_path / "p"
    assert partial.steps == [{"batch": 0}, {"batch": 1}]
    assert (tmp_path / "p" / "journal").read_bytes() == journal
    assert work(partial) == 4
    check_whole(opened(tmp_path / "p"))


def test_short_writes_and_reads_are_gone_on_with(tmp_path, monkeypatch):
    pwrite, preadv = os.pwrite, os.preadv
    monkeypatch.setattr(os, "pwrite", lambda file, data, place: pwrite(file, bytes(data)[:7], place))
    monkeypatch.setattr(os, "preadv", lambda file, buffers, place: preadv(file, [buffers[0][:5]], place))
    work(opened(tmp_path / "p"))
    check_whole(opened(tmp_path / "p"))


def test_a_disk_that_may_not_be_written_is_told_by_its_name(tmp_path, monkeypatch):
    def refuse(self: Path, *_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(PermissionError) as caught:
        opened(tmp_path / "p")
    assert caught.value.filename == str(tmp_path / "p")


# --- any sequence, against a plain model ----------------------------------------------------------------------------


WRITES = st.tuples(
    st.just("write"),
    st.sampled_from(["a", "b", "c"]),
    st.lists(st.integers(0, 5), min_size=0, max_size=4),
    st.integers(0, 3),
)
ACTIONS = st.one_of(WRITES, WRITES, st.just(("finish",)), st.just(("reopen",)))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions=st.lists(ACTIONS, max_size=25))
def test_any_sequence_agrees_with_a_plain_model(actions, tmp_path_factory):
    """The model: rows now, and per finished step its rows; reopening keeps the longest run of steps that still hold."""
    folder = tmp_path_factory.mktemp("any") / "p"
    widths = {"a": 2, "b": 1, "c": 3}
    partial = PartialStates.open(folder, KEY, 6)
    now: dict[tuple[str, int], float] = {}
    pending: dict[tuple[str, int], float] = {}
    layers: list[str] = []
    steps: list[tuple[dict[tuple[str, int], float], list[str]]] = []
    for count, action in enumerate([*actions, ("reopen",)]):
        if action[0] == "write":
            _, layer, rows, value = action
            partial.write(
                layer, np.array(rows, dtype=int), np.full((len(rows), widths[layer]), value, dtype=np.float32)
            )
            changed = {(layer, row): float(value) for row in rows}
            now |= changed
            pending |= changed
            layers += [layer] if layer not in layers else []
        elif action[0] == "finish":
            partial.finish({"count": count})
            steps.append((pending, list(layers)))
            pending = {}
        else:
            partial = PartialStates.open(folder, KEY, 6)
            kept = next(kept for kept in range(len(steps), -1, -1) if holds(steps[:kept], now))
            steps, pending = steps[:kept], {}
            layers = list(steps[-1][1]) if steps else []
            now = {place: value for place, value in now.items() if place[0] in layers}
        assert len(partial.steps) == len(steps)
        assert partial.layers == layers
        for layer in layers:
            found = partial.layer(layer)[:]
            for row in range(6):
                assert (found[row] == now.get((layer, row), 0.0)).all()


def holds(steps: list[Any], now: dict[tuple[str, int], float]) -> bool:
    """Tell whether all that the steps wrote, the later over the earlier, is there."""
    expected: dict[tuple[str, int], float] = {}
    for written, _ in steps:
        expected |= written
    return all(now[place] == value for place, value in expected.items())
