"""Static embeddings: files of the true formats, as GloVe, word2vec and fastText write them."""

import gzip
import logging
import struct
from pathlib import Path

import numpy as np
import pytest

from brainalign.activations.nulls.embeddings import embed_texts, read_vectors
from brainalign.activations.nulls.words import words_of
from brainalign.errors import InputError

VECTORS = {
    ",": [9.0, 9.0, 9.0],
    "the": [0.418, 0.24968, -0.41242],
    "red": [-1e-05, 2.0, 3.5],
    "fox": [1.0, -2.0, 0.25],
    "The": [5.0, 5.0, 5.0],
    "u.s.": [7.0, 0.0, 1.0],
    "café": [0.5, 0.25, 0.125],
    "it's": [0.0, 1.0, 0.0],
}
TEXTS = ["The red fox,", "Café -- U.S.", "nothing known", "it's the the"]


def line(word: str, numbers: list[float]) -> str:
    return " ".join([word, *map(repr, numbers)])


GLOVE = "".join(f"{line(*item)}\n" for item in VECTORS.items())
# The tools of word2vec and fastText end a line with a space.
WORD2VEC = f"{len(VECTORS)} 3\n" + "".join(f"{line(*item)} \n" for item in VECTORS.items())
FORMATS = {"glove.txt": GLOVE, "word2vec.txt": WORD2VEC, "wiki.vec": WORD2VEC.replace("\n", "\r\n")}


@pytest.fixture(params=[(name, packed) for name in FORMATS for packed in (False, True)], ids=str)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    name, packed = request.param
    content = FORMATS[name].encode()
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if packed else content)
    return path


def slowly(texts: list[str], pooling: str, lower: bool) -> np.ndarray:
    """Each word of each text by itself, from the table above."""
    rows = []
    for text in texts:
        total, count = np.zeros(3), 0
        for written in (text.lower() if lower else text).split():
            bare = written.strip(",.-")
            vector = VECTORS.get(bare) or VECTORS.get(written)
            if bare and vector:
                total, count = total + np.array(vector), count + 1
        rows.append(total / count if count and pooling == "mean" else total)
    return np.array(rows)


@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize("pooling", ["mean", "sum"])
def test_every_format_gives_what_is_in_it(path: Path, pooling: str, lower: bool) -> None:
    layers, counts = embed_texts(path, TEXTS, pooling, lower)
    assert list(layers) == [pooling]
    assert layers[pooling].dtype == np.float32
    np.testing.assert_allclose(layers[pooling], slowly(TEXTS, pooling, lower), rtol=1e-6, atol=1e-7)
    assert counts["words"] == 10
    assert (counts["unknown_words"], counts["parts_without_known_word"]) == ((2, 1) if lower else (4, 2))


def test_only_the_words_asked_for_are_kept_and_the_first_of_equal_ones(tmp_path: Path) -> None:
    path = tmp_path / "glove.txt"
    path.write_text("a 1 2\nb 3 4\na 5 6\nc 7 8\n")
    found = read_vectors(path, {"a", "c", "z"})
    assert {word: vector.tolist() for word, vector in found.items()} == {"a": [1, 2], "c": [7, 8]}


def test_words_with_spaces_are_not_taken_for_their_first_word(tmp_path: Path) -> None:
    """As in GloVe's 840B file."""
    path = tmp_path / "glove.txt"
    path.write_text("b 3 4\nat name@domain.com 1 2\n. . . 5 6\nat 7 8\n")
    assert read_vectors(path, {"at", "."})["at"].tolist() == [7, 8]
    assert "." not in read_vectors(path, {"at", "."})


def test_what_is_unknown_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "glove.txt"
    path.write_text("a 1 2\n")
    with caplog.at_level(logging.INFO):
        layers, counts = embed_texts(path, ["a owl owl.", "owl", "--"])
    assert counts == {"words": 4, "unknown_words": 3, "unknown_word_types": 2, "parts_without_known_word": 2}
    np.testing.assert_array_equal(layers["mean"], [[1, 2], [0, 0], [0, 0]])
    assert (
        "3 of 4 words are not in glove.txt (most often owl, owl.); 2 of 3 stimuli have no word in it and are zeros"
        in caplog.text
    )


def test_a_file_without_any_of_the_words_is_refused(path: Path) -> None:
    with pytest.raises(InputError, match="has none of the words of the stimuli in lower case"):
        embed_texts(path, ["zebra", "--"])


FORM = "the text formats of GloVe, word2vec and fastText are read, plain or gzip, and no others"
BINARY = b"2 3\na " + struct.pack("<3f", 1, 2, 3) + b"\nb " + struct.pack("<3f", 4, 5, 6) + b"\n"
WRONG = {
    "word2vec's binary format": (BINARY, f"line 2 is not a word and 3 finite numbers with .*; {FORM}"),
    "a pickle": (b"\x80\x04\x95\x10\x00.", "line 1 is not a word and its numbers"),
    "nothing": (b"", "line 1 is not a word and its numbers"),
    "a CSV": (b"word,x,y\na,1,2\n", "line 1 is not a word and its numbers"),
    "a header alone": (b"3 2\n", "ends after its first line"),
    "a shorter line": (b"b 1 2\nc 1 2\na 1\nd 1 2\n", "line 3 is not a word and 2 finite numbers"),
    "a word for a number": (b"b 1 2\nc 1 2\na x 2\nd 1 2\n", "line 3 is not a word and 2 finite numbers"),
    "no number": (b"b 1 2\nc 1 2\na nan 2\nd 1 2\n", "line 3 is not a word and 2 finite numbers"),
    "cut off": (b"a 1 2\nb 1 2\nc 1 2\nd 1", "line 4 is not a word and 2 finite numbers"),
    "fewer than the header says": (b"3 2\na 1 2\nb 3 4\n", "has 2 lines of vectors, but its first line says 3"),
    "half a gzip": (gzip.compress(GLOVE.encode())[:60], "is not whole"),
}


@pytest.mark.parametrize("case", WRONG)
def test_other_files_are_refused(case: str, tmp_path: Path) -> None:
    content, sentence = WRONG[case]
    path = tmp_path / "vectors.txt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=sentence):
        read_vectors(path, {"a"})


def test_words() -> None:
    found = words_of(" 'Tis the (Old) mill -- 'e' 3.5! ", lower=False)
    assert [word.bare for word in found] == ["Tis", "the", "Old", "mill", "e", "3.5"]
    assert found[2].written == "(Old)"
