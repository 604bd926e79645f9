import pytest

from brainalign.activations.presets import PRESETS
from brainalign.activations.readout import Readout
from brainalign.errors import InputError


def test_from_settings() -> None:
    assert Readout.from_mapping({}) == Readout("group", None, "words", "last", "restart")
    assert Readout.from_mapping({"context": "window", "window": 20}) == Readout("window", 20)
    assert Readout.from_mapping({"context": "none", "overflow": "slide"}) == Readout("none", overflow="slide")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"pool": "mean"}, "unknown readout setting 'pool'; did you mean 'pooling'"),
        ({"pooling": "men"}, "unknown pooling 'men'; did you mean 'mean'"),
        ({"context": "groups"}, "unknown context 'groups'; did you mean 'group'"),
        ({"context": "window", "window": 0}, "the window of a readout is at least 1, but is given 0"),
        ({"limit": 0}, "the limit of a readout is at least 1, but is given 0"),
        ({"context": "window"}, "a window of context needs its size"),
        ({"window": 3}, "no other context has one"),
        ({"overflow": "cut"}, "unknown overflow 'cut'"),
        ({"tokens": "rand"}, "unknown tokens 'rand'; did you mean 'random'"),
        ({"join": "space"}, "unknown join 'space'; did you mean 'spaces'"),
        ({"prompt": "Read:", "chat": "user"}, "a prompt of its own or that of the chat template, not both"),
    ],
)
def test_unknown_settings(settings: dict, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        Readout.from_mapping(settings)


def test_presets_are_readouts() -> None:
    published = Readout.from_mapping(PRESETS["brain-score"])
    assert (published.pooling, published.overflow, published.join) == ("last", "slide", "punctuation")
    assert published.special_tokens == "part"
    assert Readout.from_mapping(PRESETS["wehbe"]) == Readout("window", 19, "words", "mean", "slide")
