"""Static embeddings: the mean (or sum) of the vectors that a file has for a part's words.

Read are the text formats of GloVe, word2vec and fastText: a word and its numbers on each line, with single spaces
between them, and in the last two a first line with the number of words and the width; plain or gzip.
"""

import gzip
import logging
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from brainalign.activations.nulls.words import words_of
from brainalign.errors import InputError
from brainalign.progress import Progress

_GZIP = b"\x1f\x8b"
_LONGEST_LINE = 1 << 20  # bytes; what has no line break before that is no such file
_LINES_AT_ONCE = 4096  # between two looks at how far the file is read
_NAMED = 5  # unknown words that the log names
_logger = logging.getLogger(__name__)


def embed_texts(
    path: Path, texts: Sequence[str], pooling: str = "mean", lower: bool = True
) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    """Pool the vectors of the words of each text.

    A word is what stands between white space, without the punctuation at its ends; where the file has no such word,
    as it is written, with that punctuation. A word that the file has neither way is left out; marks are no words.

    Parameters
    ----------
    path : the file of vectors.
    texts : one per stimulus.
    pooling : "mean" or "sum" over a text's words that the file has.
    lower : whether words are looked up in lower case.

    Returns
    -------
    pooling → (stimulus × width) float32, zeros for a text without any word that the file has;
    counts: `words`, `unknown_words`, `unknown_word_types` (different ones), `parts_without_known_word`.

    Raises
    ------
    InputError : not a whole file of that form, or one that has no word of the texts.
    """
    parts = [words_of(text, lower) for text in texts]
    vectors = read_vectors(path, {form for words in parts for word in words for form in word})
    if not vectors:
        raise InputError(f"{path.name} has none of the words of the stimuli{' in lower case' if lower else ''}.")
    width = len(next(iter(vectors.values())))
    features = np.zeros((len(parts), width))
    unknown: Counter[str] = Counter()
    without = 0
    for row, words in enumerate(parts):
        forms = [next((form for form in word if form in vectors), None) for word in words]
        unknown.update(word.written for word, form in zip(words, forms, strict=True) if form is None)
        known = [vectors[form] for form in forms if form is not None]
        without += not known
        if known:
            features[row] = np.sum(known, axis=0, dtype=np.float64) / (len(known) if pooling == "mean" else 1)
    counts = {
        "words": sum(map(len, parts)),
        "unknown_words": unknown.total(),
        "unknown_word_types": len(unknown),
        "parts_without_known_word": without,
    }
    often = ", ".join(word for word, _ in unknown.most_common(_NAMED))
    _logger.info(
        "%d of %d words are not in %s%s; %d of %d stimuli have no word in it and are zeros",
        counts["unknown_words"], counts["words"], path.name, f" (most often {often})" if often else "",
        without, len(parts),
    )  # fmt: skip
    return {pooling: features.astype(np.float32)}, counts


def read_vectors(path: Path, words: Collection[str]) -> dict[str, np.ndarray]:
    """Return word → (width,) float32 for those of the words that a file has; of equal words the first counts.

    The file is read once, line by line, and only the lines of these words are taken apart.

    Raises
    ------
    InputError : naming the line, where it is not a word and as many numbers as the others have; a file that ends
        before its header says, or in the middle.
    """
    wanted = {word.encode("utf-8", "surrogatepass"): word for word in words}
    found: dict[str, np.ndarray] = {}
    with _lines(path) as lines:
        number, first, count, width = _beginning(path, lines)
        line = first
        while line:
            word = wanted.get(line[: line.find(b" ")])
            if number <= 2 or (word is not None and word not in found):
                vector = _vector(path, number, line, width)
                if vector is not None and word is not None:
                    found.setdefault(word, vector)
            last, line = line, lines.readline()
            number += 1
    _vector(path, number - 1, last, width)  # a file that was cut off ends in the middle of a line
    if count is not None and number - 2 != count:
        raise InputError(f"{path.name} has {number - 2} lines of vectors, but its first line says {count}.")
    return found


class _Lines:
    """Lines of a file, plain or gzip, and how far it is read."""

    def __init__(self, file: IO[bytes], content: IO[bytes], progress: Progress) -> None:
        self._file, self._content, self._progress = file, content, progress
        self._read = self._megabytes = 0

    def readline(self) -> bytes:
        """Return the next line that is not empty, b"" after the last."""
        line = self._content.readline(_LONGEST_LINE)
        while line and line.isspace():
            line = self._content.readline(_LONGEST_LINE)
        self._read += 1
        if self._read % _LINES_AT_ONCE == 0 or not line:
            megabytes = self._file.tell() >> 20
            self._progress.advance(megabytes - self._megabytes)
            self._megabytes = megabytes
        return line


@contextmanager
def _lines(path: Path) -> Iterator[_Lines]:
    with path.open("rb") as file, Progress("MB of vectors", path.stat().st_size >> 20) as progress:
        compressed = file.read(len(_GZIP)) == _GZIP
        file.seek(0)
        content: Any = gzip.GzipFile(fileobj=file) if compressed else file
        try:
            yield _Lines(file, content, progress)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise InputError(f"{path.name} is not whole: {error}.") from error


def _beginning(path: Path, lines: _Lines) -> tuple[int, bytes, int | None, int]:
    """Return the number of the first line with a vector, that line, the count of the header if any, and the width."""
    line = lines.readline()
    fields = line.rstrip(b" \r\n").split(b" ")
    if len(fields) != 2 or not all(field.isdigit() for field in fields):
        if len(fields) < 2:
            raise _not_vectors(path, 1, None)
        return 1, line, None, len(fields) - 1
    line = lines.readline()
    if not line:
        raise InputError(f"{path.name} ends after its first line.")
    return 2, line, int(fields[0]), int(fields[1])


def _vector(path: Path, number: int, line: bytes, width: int) -> np.ndarray | None:
    """Return the numbers of a line (width,); None where its word has a space in it, and so is no word of a text."""
    fields = line.rstrip(b" \r\n").split(b" ")
    try:
        vector = np.array([float(field) for field in fields[-width:]], dtype=np.float32)
    except ValueError:
        vector = np.empty(0, dtype=np.float32)
    if len(fields) <= width or len(vector) != width or not np.isfinite(vector).all():
        raise _not_vectors(path, number, width)
    return vector if len(fields) == width + 1 else None


def _not_vectors(path: Path, line: int, width: int | None) -> InputError:
    numbers = "its numbers" if width is None else f"{width} finite numbers"
    return InputError(
        f"{path.name}: line {line} is not a word and {numbers} with single spaces between them; the text formats of "
        "GloVe, word2vec and fastText are read, plain or gzip, and no others."
    )
