"""A file of WikiText as a source: its articles are the documents."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from brainalign.errors import InputError
from brainalign.sources.folder import copy_into, entries_of
from brainalign.texts import read_text, write_documents
from brainalign.wikitext import articles, detokenise

DOCUMENTS = "documents.jsonl"


def fetch(settings: Mapping[str, Any], inputs: Sequence[Path], folder: Path) -> dict[str, dict[str, str]]:
    """Copy the file, write its articles beside it, and return the manifest's entries.

    Parameters
    ----------
    settings : `sha256` of the file, and whether to `detokenise`; otherwise articles stay as they are, character for
        character.
    inputs : the user's file.
    folder : where they go.

    Raises
    ------
    InputError : a file that is missing, has changed since the run was planned, or has no article.
    """
    copied = copy_into(folder, "original", inputs[0], settings["sha256"])
    found = articles(read_text(folder / copied["name"]))
    if not found:
        raise InputError(f"{inputs[0].name} holds no WikiText: there is no line ' = Title = ' between blank lines.")
    write_documents(folder / DOCUMENTS, [detokenise(text) for text in found] if settings["detokenise"] else found)
    return {"original": copied, **entries_of(folder, {"documents": DOCUMENTS})}
