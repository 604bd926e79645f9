"""The expected memory is that of a real run, in a process of its own."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import brainalign.encoding
import brainalign.encoding.expectation as expectation_module
from brainalign.encoding.cost import Cost, Speed, Task, expected_bytes, expected_cost, measure_speed, sentence
from brainalign.encoding.encoder import encode
from brainalign.encoding.joint_encoder import Member, encode_joint
from brainalign.encoding.settings import EncoderSettings
from brainalign.responses.samples import Samples

SPEED = Speed(single=2e11, double=1e11, elements=1e10)
PEREIRA = Task(384, 4096, 12_155, layers=40, cells=20)
LARGE = Task(10_000, 4096, 80_000, groups=500, cells=20)

RUN = """
import json, sys, threading, time
import numpy as np
from brainalign.encoding.encoder import encode
from brainalign.encoding.settings import EncoderSettings
from brainalign.responses.samples import Samples

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

def run(n, width, neuroids, folds=10, penalties=2, subjects=1, layer_for="all"):
    random = np.random.default_rng(0)
    layer = random.standard_normal((n, width), dtype=np.float32)
    responses = random.standard_normal((n, neuroids), dtype=np.float32)
    signal = layer @ random.standard_normal((width, neuroids), dtype=np.float32)
    signal *= np.logspace(-3, 1, neuroids) / np.sqrt(width)  # so that neuroids choose different penalties
    responses += signal
    del signal
    samples = Samples({"split_group": np.arange(n) // 4})
    of_subject = [f"S{number * subjects // neuroids}" for number in range(neuroids)]
    table = {"neuroid": np.arange(neuroids).astype(str), "subject": of_subject, "region": ["x"] * neuroids}
    grid = tuple(np.logspace(-1, 3 if penalties > 2 else 1, penalties))
    settings = EncoderSettings(split={"kind": "grouped", "folds": folds}, grid=grid, draws=20, layer_for=layer_for)
    encode([("layer", layer)], responses, samples, table, settings)

run(240, 300, 20)
before, peak, done = resident(), [0], threading.Event()

def watch():
    while not done.is_set():
        peak[0] = max(peak[0], resident())
        time.sleep(0.002)

thread = threading.Thread(target=watch)
thread.start()
run(*json.loads(sys.argv[1]))
done.set()
thread.join()
print(peak[0] - before)
"""


def measured_bytes(task: Task) -> int:
    """Encode in a fresh process; return the memory at its peak less what it had before there were any data."""
    environment = os.environ | {
        "PYTHONPATH": str(Path(brainalign.encoding.__file__).parents[2]),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_MMAP_THRESHOLD_": "65536",  # what is freed goes back at once
    }
    subjects = task.cells // 2 - 1  # a subject's region, and "all" of both
    by = "neuroid" if task.sampled else "all"
    shape = json.dumps([task.samples, task.width, task.neuroids, task.folds, task.penalties, subjects, by])
    found = subprocess.run(
        [sys.executable, "-c", RUN, shape], env=environment, capture_output=True, text=True, check=True
    )
    return int(found.stdout)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize(
    "task",
    [
        Task(2000, 100, 2000, penalties=2),
        Task(1500, 1800, 500, penalties=2),
        Task(400, 500, 20_000, penalties=2),
        Task(2000, 10, 1000, folds=5, penalties=13, cells=20),
        Task(800, 10, 800, penalties=2, sampled=240),
    ],
    ids=["narrow", "wide", "neuroids", "subjects", "sampled neuroids"],
)
def test_expected_memory_is_what_a_run_takes(task: Task) -> None:
    task = replace(task, draws=20, groups=task.samples // 4, threads=1)
    measured = measured_bytes(task)
    assert 0.9 * measured < expected_bytes(task) < 1.7 * measured


def test_many_samples_and_neuroids_fit_sixteen_gigabytes() -> None:
    assert expected_bytes(LARGE) < 16e9
    assert expected_bytes(replace(LARGE, threads=16)) < 16e9
    assert expected_bytes(replace(LARGE, single=False)) > 16e9, "float64 doubles what the responses take"


def test_whatever_is_held_is_counted() -> None:
    more = [{"repetitions": 3}, {"pooled": True}, {"layers": 2}, {"spaces": 9, "grams": True}, {"cells": 2000}]
    for changes in more:
        assert expected_bytes(replace(LARGE, **changes)) > expected_bytes(LARGE) + 1e9, changes
    assert expected_bytes(replace(PEREIRA, sampled=240)) >= expected_bytes(PEREIRA) + 40 * 48**2 * 240 * 4


def recorded(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, free: int, joint: bool) -> list[str]:
    """Encode a few samples with little free memory; return what is logged of the expectation."""
    random = np.random.default_rng(0)
    x, y, names = random.normal(size=(120, 5)), random.normal(size=(120, 3)), np.array(["a", "b", "c"])
    samples, table = Samples({"split_group": np.arange(120)}), {"neuroid": names, "subject": names, "region": names}
    settings = EncoderSettings(split={"kind": "grouped", "folds": 4}, grid=(0.1, 10.0), draws=3, mixtures=4)
    monkeypatch.setattr(expectation_module, "LONG", 0)
    monkeypatch.setattr(expectation_module, "free_memory_of_host", lambda: free)
    monkeypatch.setattr(expectation_module, "measure_speed", lambda: SPEED)
    with caplog.at_level("INFO"):
        if joint:
            encode_joint([Member({"x": x}, ["x"] * 4), Member({"x": x[:, :2]}, ["x"] * 4)], y, samples, table, settings)
        else:
            encode([("x", x)], y, samples, table, settings, names=["x"])
    return [record.getMessage() for record in caplog.records if "expected" in record.getMessage()]


@pytest.mark.parametrize(("joint", "width"), [(False, 5), (True, 7)])
def test_the_expectation_is_told_of_single_and_of_joint_spaces(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, joint: bool, width: int
) -> None:
    (said,) = recorded(monkeypatch, caplog, 2**40, joint)
    assert said.startswith(f"expected on the processor: 1 layer of 120 samples × {width} features → 3 neuroids: about ")
    caplog.clear()
    said, warned = recorded(monkeypatch, caplog, 1000, joint)
    assert warned.startswith("encoding is expected to need 0.0 GiB more than it holds now, but 0.0 GiB are free")
    assert caplog.records[-1].levelname != "WARNING", "it is said before work starts"


def test_forty_layers_at_the_size_of_pereira_fit_four_gibibytes() -> None:
    assert expected_bytes(PEREIRA) < 4 * 2**30


def test_seconds_grow_with_what_is_done() -> None:
    def seconds(**changes: object) -> float:
        return expected_cost(replace(PEREIRA, **changes), SPEED).seconds

    whole = seconds()
    assert seconds(layers=80) == pytest.approx(2 * whole, rel=0.03)  # but for the chosen layer's draws
    assert seconds(neuroids=24_310) > 1.8 * whole
    assert seconds(draws=1) < seconds(inner_scores=False, draws=1000)
    assert seconds(inner_scores=False) < whole < seconds(single=False)
    assert seconds(penalties=26) > 1.4 * whole
    assert seconds(at_once=False) > whole
    assert seconds(at_once=False, refits=True) > seconds(at_once=False)
    twice = Speed(2 * SPEED.single, 2 * SPEED.double, 2 * SPEED.elements)
    assert expected_cost(PEREIRA, twice).seconds == pytest.approx(whole / 2)


def test_the_floor_of_the_products_is_in_the_seconds() -> None:
    """Without draws and scores, and with passes for nothing, what is left is little more than the products."""
    speed = Speed(single=2e11, double=1e14, elements=1e14)
    n, neuroids, folds, penalties = 384, 12_155, 10, 13
    products = penalties * (2 * n**2 * neuroids + 45 * 2 * (2 * n / folds) ** 2 * neuroids)
    found = expected_cost(Task(n, 4096, neuroids, inner_scores=False), speed).seconds
    assert products / 2e11 < found < 1.1 * products / 2e11


@pytest.mark.parametrize(
    ("task", "cost", "said"),
    [
        (
            Task(384, 4096, 12_155, layers=40),
            Cost(113, 1_200_000_000),
            "40 layers of 384 samples × 4,096 features → 12,155 neuroids: about 110 s and 1.1 GiB",
        ),
        (Task(9, 7, 5), Cost(0.123, 5 << 20), "1 layer of 9 samples × 7 features → 5 neuroids: about 0.12 s and 5 MiB"),
        (
            LARGE,
            Cost(3000, 15_000_000_000),
            "1 layer of 10,000 samples × 4,096 features → 80,000 neuroids: about 50 min and 14.0 GiB",
        ),
        (
            LARGE,
            Cost(36_000, 15_000_000_000),
            "1 layer of 10,000 samples × 4,096 features → 80,000 neuroids: about 10.0 h and 14.0 GiB",
        ),
    ],
)
def test_what_is_said(task: Task, cost: Cost, said: str) -> None:
    assert sentence(task, cost) == said


def test_rates_are_measured_in_a_moment() -> None:
    speed = measure_speed()
    assert speed.single > speed.double > 1e8
    assert speed.elements > 1e7
