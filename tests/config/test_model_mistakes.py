"""Mistakes in how a model's source is to be read, each as one sentence; and what such an entry resolves to."""

from pathlib import Path

import pytest

from brainalign.config.study import read_study
from brainalign.config.twins import with_twins
from brainalign.errors import InputError

COMMIT = "0123456789abcdef0123456789abcdef01234567"
HUB = {"source": "a/b", "family": "f", "kind": "vanilla"}
DELTA = HUB | {"delta_of": "whole"}
CODE = (
    "remote_code needs as `revision` a full commit (40 hexadecimal digits), so that no other code runs than what was "
    "there when it was chosen."
)

MISTAKES = {
    "a format of weights": (
        {"models.x": HUB | {"weights": "bins"}},
        ["models.x.weights: holds 'bins'; one of 'safetensors', 'bin' is needed; did you mean 'bin'?"],
    ),
    "no truth value": (
        {"models.x": HUB | {"remote_code": "perhaps"}},
        ["models.x.remote_code: holds 'perhaps'; true or false is needed."],
    ),
    "a misspelt key": (
        {"models.x": HUB | {"delta": "whole"}},
        [
            "models.x: unknown key 'delta'; did you mean 'delta_of'? Allowed: source, revision, weights, delta_of, "
            "remote_code, train, tune, published, family, kind, base, dtype, untrained, training_tokens."
        ],
    ),
    "the format of what is made here": (
        {"models.tiny-16.weights": "bin"},
        ["models.tiny-16: weights belongs to a source, but the model is made here."],
    ),
    "a delta that is trained": (
        {"models.tiny-16.delta_of": "tiny-32"},
        ["models.tiny-16: delta_of belongs to a source, but the model is made here."],
    ),
    "own code of a tuned model": (
        {"models.tiny-16-instruct.remote_code": True},
        ["models.tiny-16-instruct: remote_code belongs to a source, but the model is made here."],
    ),
    "tuning what runs own code": (
        {"models.tiny-16": HUB | {"remote_code": True, "revision": COMMIT}},
        [
            "models.tiny-16-instruct.tune: 'tiny-16-instruct' cannot be tuned from 'tiny-16', which runs Python of its "
            "own (remote_code); a base without it is needed."
        ],
    ),
    "own code without a commit": ({"models.x": HUB | {"remote_code": True}}, [f"models.x: {CODE}"]),
    "own code of a branch": (
        {"models.x": HUB | {"remote_code": True, "revision": "main"}},
        [f"models.x: {CODE}"],
    ),
    "own code of a short commit": (
        {"models.x": HUB | {"remote_code": True, "revision": COMMIT[:12]}},
        [f"models.x: {CODE}"],
    ),
    "a delta to nothing": (
        {"models.whole": HUB, "models.x": HUB | {"delta_of": "hole"}},
        [
            "models.x.delta_of: holds 'hole', which is the name of no other model with a source; did you mean 'whole'? "
            "Allowed: whole."
        ],
    ),
    "a delta to what is made here": (
        {"models.x": HUB | {"delta_of": "tiny-16"}},
        ["models.x.delta_of: holds 'tiny-16', which is the name of no other model with a source; there is none."],
    ),
    "a delta to itself": (
        {"models.whole": HUB, "models.x": HUB | {"delta_of": "x"}},
        ["models.x.delta_of: holds 'x', which is the name of no other model with a source. Allowed: whole."],
    ),
    "a circle of deltas": (
        {"models.x": HUB | {"delta_of": "y"}, "models.y": HUB | {"delta_of": "z"}, "models.z": HUB | {"delta_of": "x"}},
        [
            "models.x.delta_of: these deltas go round in a circle, 'x', 'y', 'z', 'x'; "
            "the last model of a chain needs weights of its own."
        ],
    ),
    "a delta to a circle": (
        {"models.x": HUB | {"delta_of": "y"}, "models.y": HUB | {"delta_of": "y"}},
        ["models.y.delta_of: holds 'y', which is the name of no other model with a source. Allowed: x."],
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_told(case, changed):
    changes, sentences = MISTAKES[case]
    with pytest.raises(InputError) as caught:
        read_study(changed(changes))
    assert str(caught.value).split("\n") == sentences


def test_what_is_allowed(changed, tmp_path: Path):
    """A chain of deltas, own code of a commit or a folder, and keys written out as their defaults are."""
    folder = {"source": str(tmp_path), "family": "f", "kind": "vanilla", "remote_code": True, "weights": "bin"}
    models = {
        "models.whole": HUB,
        "models.middle": DELTA,
        "models.last": HUB | {"delta_of": "middle", "weights": "bin"},
        "models.coded": HUB | {"remote_code": True, "revision": COMMIT},
        "models.mine": folder,
        "models.tiny-16.weights": "safetensors",
        "models.tiny-16.remote_code": False,
    }
    found = with_twins(read_study(changed(models)).models)
    last = found["last"]
    assert (last.weights, last.delta_of, last.remote_code) == ("bin", "middle", False)
    assert (found["mine"].weights, found["mine"].remote_code, found["coded"].remote_code) == ("bin", True, True)


def test_the_twin_of_a_delta_is_made_from_its_config_alone(changed):
    entry = DELTA | {"revision": COMMIT, "remote_code": True, "weights": "bin", "untrained": {"seeds": [2]}}
    twin = with_twins(read_study(changed({"models.whole": HUB, "models.x": entry})).models)["x-untrained-2"]
    assert (twin.source, twin.revision, twin.remote_code, twin.twin_seed) == ("a/b", COMMIT, True, 2)
    assert (twin.base, twin.delta_of, twin.weights) == ("x", None, "safetensors")
