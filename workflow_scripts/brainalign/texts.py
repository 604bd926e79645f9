"""Texts as files: documents separated by blank lines, and questions with answers as JSON lines."""

import json
import re
from collections.abc import Iterable
from pathlib import Path

from brainalign.errors import InputError
from brainalign.storage import write_text


def read_documents(path: Path) -> list[str]:
    """Read a text's documents; line breaks inside a document are kept.

    Raises
    ------
    InputError : not UTF-8, or no document in it.
    """
    text = _text(path)
    documents = [document.strip() for document in re.split(r"\n[ \t]*\n", text) if document.strip()]
    if not documents:
        raise InputError(f"{path.name} holds no text.")
    return documents


def write_documents(path: Path, documents: Iterable[str]) -> None:
    """Write documents so that `read_documents` gives them back; a document must not hold a blank line."""
    write_text(path, "\n\n".join(documents) + "\n")


def read_questions(path: Path) -> list[tuple[str, str]]:
    """Read (question, answer) pairs from JSON lines with the keys `question` and `answer`. Raises InputError."""
    pairs = []
    lines = _text(path).split("\n")  # not splitlines, which also cuts at characters that JSON leaves as they are
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            pairs.append((str(entry["question"]), str(entry["answer"])))
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise InputError(f"{path.name}: line {number} is not a question with an answer ({error!r}).") from error
    if not pairs:
        raise InputError(f"{path.name} holds no questions.")
    return pairs


def write_questions(path: Path, pairs: Iterable[tuple[str, str]]) -> None:
    """Write (question, answer) pairs as JSON lines."""
    lines = [json.dumps({"question": question, "answer": answer}, ensure_ascii=False) for question, answer in pairs]
    write_text(path, "\n".join(lines) + "\n")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is not UTF-8 text (byte {error.start}); save it as UTF-8.") from error
