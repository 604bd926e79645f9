import logging
import sys

import pytest

from brainalign import progress
from brainalign.progress import Progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_lines_in_a_log(clock: list[float], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with Progress("stimuli", 100, done=20) as counted:
        for _ in range(8):
            clock[0] += 5.0
            counted.advance(10)
    assert caplog.messages == [
        "50 of 100 stimuli after 15 s, about 25 s left",
        "80 of 100 stimuli after 30 s, about 10 s left",
        "100 of 100 stimuli after 40 s",
    ]


def test_no_last_line_where_the_work_failed(clock: list[float], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(KeyboardInterrupt), Progress("stimuli", 10):
        raise KeyboardInterrupt
    assert not caplog.messages


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with Progress("stimuli", 4, done=1) as counted:
        counted.advance(3)
    assert "1/4" in capsys.readouterr().err
