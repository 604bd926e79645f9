"""Texts as files: documents separated by blank lines or as JSON lines, and questions with answers as JSON lines."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn

from brainalign.errors import InputError
from brainalign.storage import write_text


def read_documents(path: Path) -> list[str]:
    """Read a text's documents: separated by blank lines, or where the file ends in .jsonl, each the `text` of a line.

    Line breaks inside a document are kept; in .jsonl, all white space is.

    Raises
    ------
    InputError : not UTF-8, a line that is no document, or no document in it.
    """
    if path.suffix.lower() == ".jsonl":
        return [text for text in _lines(path, "document", "text") if text.strip()] or _nothing(path, "text")
    text = read_text(path)
    documents = [document.strip() for document in re.split(r"\n[ \t]*\n", text) if document.strip()]
    return documents or _nothing(path, "text")


def write_documents(path: Path, documents: Iterable[str]) -> None:
    """Write documents so that `read_documents` gives them back; unless in .jsonl, one must not hold a blank line."""
    if path.suffix.lower() == ".jsonl":
        write_text(path, "".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in documents))
        return
    write_text(path, "\n\n".join(documents) + "\n")


def read_questions(path: Path) -> list[tuple[str, str]]:
    """Read (question, answer) pairs from JSON lines with the keys `question` and `answer`. Raises InputError."""
    found = list(_lines(path, "question with an answer", "question", "answer"))
    return list(zip(found[::2], found[1::2], strict=True)) or _nothing(path, "questions")


def write_questions(path: Path, pairs: Iterable[tuple[str, str]]) -> None:
    """Write (question, answer) pairs as JSON lines."""
    lines = [json.dumps({"question": question, "answer": answer}, ensure_ascii=False) for question, answer in pairs]
    write_text(path, "\n".join(lines) + "\n")


def read_text(path: Path) -> str:
    """Read a UTF-8 file. Raises InputError where it is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is not UTF-8 text (byte {error.start}); save it as UTF-8.") from error


def _lines(path: Path, what: str, *keys: str) -> Iterator[str]:
    """Yield the values of keys, in their order, of every line of a file of JSON lines."""
    lines = read_text(path).split("\n")  # not splitlines, which also cuts at characters that JSON leaves as they are
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            found = [entry[key] for key in keys]
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise InputError(f"{path.name}: line {number} is not a {what} ({error!r}).") from error
        for key, held in zip(keys, found, strict=True):
            if not isinstance(held, str):
                raise InputError(f"{path.name}: line {number} is not a {what} ({key} is {held!r}, which is no text).")
        yield from found


def _nothing(path: Path, what: str) -> NoReturn:
    raise InputError(f"{path.name} holds no {what}.")
