"""A key that is written without a value asks for its section, or is refused; `null` is what it always was."""

from typing import Any

import pytest

from brainalign.config.study import read_study
from brainalign.errors import InputError

PASSAGES = "datasets.simulated-passages"


def read(changed: Any, *keys: str) -> Any:
    """Read the study with keys as YAML reads those without a value."""
    return read_study(changed(dict.fromkeys(keys)), [tuple(key.split(".")) for key in keys])


def test_a_section_is_taken_with_its_defaults(changed) -> None:
    pool, left_out = f"{PASSAGES}.ceilings.subject-pool", f"{PASSAGES}.ceilings.leave-one-subject-out"
    ceilings = read(changed, pool, left_out).datasets["simulated-passages"].ceilings
    assert ceilings.subject_pool.pools == 3
    assert ceilings.leave_one_subject_out is not None
    assert ceilings.split_half is None
    assert read(changed, "encoders.controlled.split.inner").encoders["controlled"].split.inner.folds == 5
    assert read(changed, f"{PASSAGES}.ceilings").datasets["simulated-passages"].ceilings.known is None
    assert read(changed, "encoders.controlled.grid").encoders["controlled"].grid.count == 13


REFUSED = {
    "readouts.last-token.match": "readouts.last-token.match: exactly one of components, projection, localizer must be "
    "given, but there is none of them.",
    "models.tiny-16.untrained": "models.tiny-16.untrained: the key 'seeds' is missing.",
    "models.tiny-16.train": "models.tiny-16.train: the key 'text' is missing.",
    "models.tiny-16.revision": "models.tiny-16.revision: holds nothing; text is needed.",
    "models.tiny-16": "models.tiny-16: holds nothing; a mapping of keys to values is needed.",
    "models": "models: holds nothing; a mapping of names to entries is needed.",
    "license": "license: holds nothing; text is needed.",
    "encoders.controlled.datasets": "encoders.controlled.datasets: holds nothing; a list is needed.",
    "encoders.controlled.delays": "encoders.controlled.delays: holds nothing; a list is needed.",
    "encoders.controlled.components": "encoders.controlled.components: holds nothing; a whole number is needed.",
    "encoders.controlled.split": "encoders.controlled.split: the key 'kind' is missing.",
    "encoders.controlled.split.seed": "encoders.controlled.split.seed: holds nothing; a whole number is needed.",
    "encoders.controlled.layer": "encoders.controlled.layer: holds nothing; one of 'nested', 'best' or a mapping of "
    "keys to values is needed.",
    f"{PASSAGES}.control_region": f"{PASSAGES}.control_region: holds nothing; one of 'region-a', 'region-b' is needed.",
}


@pytest.mark.parametrize("key", REFUSED)
def test_anything_else_is_refused(key: str, changed) -> None:
    with pytest.raises(InputError) as told:
        read(changed, key)
    assert str(told.value).splitlines()[0] == REFUSED[key]


def test_null_is_the_default_and_what_another_file_gave_stays(changed) -> None:
    plain = read_study(changed({}))
    null = changed({f"{PASSAGES}.ceilings.leave-one-subject-out": None, "encoders.controlled.datasets": None})
    assert read_study(null) == plain
    keys = [("encoders", "controlled", "grid"), ("encoders", "gone", "grid"), ("study", "grid")]
    assert read_study(changed({}), keys) == plain
