"""What figures may know of the config, and runs of models along a training."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from brainalign import study_specs
from brainalign.config.study import read_study
from brainalign.errors import InputError

CONFIG = yaml.safe_load(Path(__file__).with_name("study.yaml").read_text(encoding="utf-8"))
RUN = {"tiny": {"unit": "steps", "models": {"tiny-16": 100, "tiny-32": 200}}}


def study(**changes: Any) -> Any:
    return read_study(CONFIG | changes)


def test_a_figure_knows_its_name_and_what_it_shows_of_the_config() -> None:
    own = study(runs=RUN)
    assert study_specs.figure(own, "layers") == {"figure": "layers"}
    assert study_specs.figure(own, "split-policies")["splits"] == {
        "controlled": "grouped by split_group, 8 folds",
        "as-published": "shuffle, 10 folds",
    }
    assert study_specs.figure(own, "training-runs")["runs"] == RUN
    assert study_specs.figure(own, "pairs")["over"] == {"name": "all", "without": []}
    of_one = {"model": "tiny-16-instruct", "family": "tiny", "kind": "instruction-tuned", "base": "tiny-16"}
    assert study_specs.figure(own, "card-tiny-16-instruct") == {"figure": "card-tiny-16-instruct", **of_one}
    spaces = dict.fromkeys(CONFIG["datasets"])
    assert study_specs.figure(own, "brain-tiny-16")["coordinates"] == spaces


def test_an_untrained_twin_has_a_card() -> None:
    assert (
        study_specs.figure(study(figures=["card-tiny-16-untrained-0"]), "card-tiny-16-untrained-0")["kind"]
        == "untrained"
    )


@pytest.mark.parametrize(
    ("models", "said"),
    [
        ({"tiny-16": 1, "tiny-17": 2}, "runs.tiny.models: holds 'tiny-17', which is the name of no model"),
        ({"tiny-16": 1}, "runs.tiny.models: holds {'tiny-16': 1}; at least 2"),
        ({"tiny-16": -1, "tiny-32": 2}, "runs.tiny.models.tiny-16: holds -1; a number of at least 0"),
    ],
)
def test_a_mistake_in_a_run_is_told(models: dict[str, float], said: str) -> None:
    with pytest.raises(InputError) as caught:
        study(runs={"tiny": {"unit": "steps", "models": models}})
    assert str(caught.value).startswith(said)
