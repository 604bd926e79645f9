"""Write one data set's responses in the common form."""

import importlib
from pathlib import Path
from typing import Any

from brainalign.command import run
from brainalign.provenance import Provenance
from brainalign.sources.folder import source_file, source_roles
from brainalign.storage import content_digest, write_arrays, write_json
from brainalign.tables import read_table


def prepare_responses(
    spec: dict[str, Any], provenance: Provenance, source: Path, stimuli: Path, out: Path, digest: Path
) -> None:
    """Read a source's responses, check them, and write matrix, tables and sample map."""
    loader = importlib.import_module(f"brainalign.responses.{spec['loader']}")
    files = {role: source_file(source, role) for role in source_roles(source)}
    responses = loader.read_responses(files, spec["settings"], read_table(stimuli))
    variables = responses.variables()
    attributes = {**provenance.attributes(), **responses.facts, "simulated": int(spec["simulated"])}
    write_arrays(out, variables, attributes)
    write_json(digest, {"content": content_digest(variables), "facts": dict(responses.facts)})


if __name__ == "__main__":
    run(prepare_responses)
