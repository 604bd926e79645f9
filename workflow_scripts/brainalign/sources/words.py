"""The words of a source, whatever its kind."""

from pathlib import Path

from brainalign.sources.folder import source_file, source_roles
from brainalign.texts import read_documents, read_questions


def words_of_source(manifest: Path) -> list[str]:
    """Return the texts of a source, whatever its kind: documents, or questions followed by their answers."""
    if "questions" in source_roles(manifest):
        return [f"{question} {answer}" for question, answer in read_questions(source_file(manifest, "questions"))]
    return read_documents(source_file(manifest, "documents"))
