"""Sources that are generated: texts about the world, and brain data with known truth."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from brainalign.errors import unknown
from brainalign.simulation.brain import simulate_passages, simulate_stories
from brainalign.simulation.grammar import write_questions, write_text
from brainalign.simulation.source_files import write_source
from brainalign.simulation.world import World, make_world
from brainalign.sources.folder import entries_of
from brainalign.texts import write_documents
from brainalign.texts import write_questions as write_question_file


def fetch(
    settings: Mapping[str, Any],
    inputs: Sequence[Path],  # noqa: ARG001 -- every source is fetched with the same arguments
    folder: Path,
) -> dict[str, dict[str, str]]:
    """Generate a text or data set into its folder and return the manifest's entries.

    Parameters
    ----------
    settings : `kind` ("documents", "questions", "passages", "stories"), `world` and `seed`, and the kind's sizes.
    inputs : none; simulations read no files.
    folder : where the files go.
    """
    sizes = dict(settings)
    kind, world, seed = sizes.pop("kind"), make_world(sizes.pop("world")), sizes.pop("seed")
    if kind in ("documents", "questions"):
        return entries_of(folder, _text(kind, world, seed, sizes["count"], folder))
    if kind == "passages":
        written = write_source(simulate_passages(world, seed, **sizes), folder)
    elif kind == "stories":
        written = write_source(simulate_stories(world, seed, **sizes), folder)
    else:
        raise unknown("kind of simulation", kind, ["documents", "questions", "passages", "stories"])
    return entries_of(folder, {path.stem: path.name for path in written})


def _text(kind: str, world: World, seed: int, count: int, folder: Path) -> dict[str, str]:
    if kind == "documents":
        write_documents(folder / "documents.txt", write_text(world, seed, count))
        return {"documents": "documents.txt"}
    write_question_file(folder / "questions.jsonl", write_questions(world, seed, count))
    return {"questions": "questions.jsonl"}
