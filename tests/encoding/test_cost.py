"""The expected memory is that of a real run, in a process of its own."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import brainalign.encoding
from brainalign.encoding.cost import Cost, Speed, Task, expected_bytes, expected_cost, measure_speed, sentence

SPEED = Speed(single=2e11, double=1e11, elements=1e10)
PEREIRA = Task(384, 4096, 12_155, layers=40, cells=20)
LARGE = Task(10_000, 4096, 80_000, groups=2500)

RUN = """
import json, sys, threading, time
import numpy as np
from brainalign.encoding.encoder import encode
from brainalign.encoding.settings import EncoderSettings
from brainalign.responses.samples import Samples

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

def run(n, width, neuroids):
    random = np.random.default_rng(0)
    layer = random.standard_normal((n, width), dtype=np.float32)
    responses = random.standard_normal((n, neuroids), dtype=np.float32)
    samples = Samples({"split_group": np.arange(n) // 4})
    table = {"neuroid": np.arange(neuroids).astype(str), "subject": ["S1"] * neuroids, "region": ["x"] * neuroids}
    settings = EncoderSettings(split={"kind": "grouped", "folds": 10}, grid=(0.1, 10.0), draws=20)
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
    shape = json.dumps([task.samples, task.width, task.neuroids])
    found = subprocess.run(
        [sys.executable, "-c", RUN, shape], env=environment, capture_output=True, text=True, check=True
    )
    return int(found.stdout)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize(
    "task", [Task(2000, 100, 2000), Task(1500, 1800, 500), Task(400, 500, 20_000)], ids=["narrow", "wide", "neuroids"]
)
def test_expected_memory_is_what_a_run_takes(task: Task) -> None:
    task = replace(task, penalties=2, draws=20, cells=4, groups=task.samples // 4, threads=1)
    measured = measured_bytes(task)
    assert 0.9 * measured < expected_bytes(task) < 1.7 * measured


def test_many_samples_and_neuroids_fit_sixteen_gigabytes() -> None:
    assert expected_bytes(LARGE) < 16e9
    assert expected_bytes(replace(LARGE, single=False)) > 16e9, "float64 doubles what the responses take"


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
