import pytest

from brainalign.activations.readout import Readout
from brainalign.errors import InputError


def test_from_settings() -> None:
    assert Readout.from_mapping({}) == Readout("group", None, "last", "restart")
    assert Readout.from_mapping({"context": {"window": 20}, "pooling": "mean"}) == Readout("window", 20, "mean")
    assert Readout.from_mapping({"context": "none", "overflow": "slide"}) == Readout("none", overflow="slide")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"pool": "mean"}, "unknown readout setting 'pool'; did you mean 'pooling'"),
        ({"pooling": "men"}, "unknown pooling 'men'; did you mean 'mean'"),
        ({"context": "groups"}, "unknown context 'groups'; did you mean 'group'"),
        ({"context": {"words": 3}}, "unknown context 'words'"),
        ({"context": {"window": 0}}, "at least 1 word, but is given 0"),
        ({"context": "window"}, "needs its number of words"),
        ({"overflow": "cut"}, "unknown overflow 'cut'"),
    ],
)
def test_unknown_settings(settings: dict, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        Readout.from_mapping(settings)
