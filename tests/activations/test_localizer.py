from pathlib import Path

import pytest

from brainalign.activations.localizer import read_localizer
from brainalign.errors import InputError

TABLE = "sent,stim14,run\nthe dog ran,S,1\n blicket fep ,N,1\nrun,W,1\nit rained,S,2\ndax wug,N,2\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "localizer.csv").write_text(TABLE)
    return tmp_path / "localizer.csv"


def test_two_conditions_are_read_and_others_left(path: Path) -> None:
    found = read_localizer(path, "sent", "stim14", ["S", "N"])
    assert found.stimuli["text"].tolist() == ["the dog ran", "blicket fep", "it rained", "dax wug"]
    assert found.is_language.tolist() == [True, False, True, False]
    assert found.stimuli["stimulus_id"].is_unique
    assert (found.stimuli["context_group"] == found.stimuli["stimulus_id"]).all()  # each is read by itself
    turned = read_localizer(path, "sent", "stim14", ["N", "S"])
    assert (turned.is_language == ~found.is_language).all()


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        (("text", "stim14", ["S", "N"]), "localizer.csv: unknown column 'text'"),
        (("sent", "stim14", ["S", "W"]), "needs 2 or more texts of the stim14 'W', but has 1; it holds 'S', 'N', 'W'"),
        (("sent", "stim14", ["S", "n"]), "needs 2 or more texts of the stim14 'n', but has 0"),
    ],
)
def test_one_sentence(path: Path, columns: tuple, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        read_localizer(path, *columns)
