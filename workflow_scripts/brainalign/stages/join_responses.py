"""Put the responses of several data sets after one another, over the neuroids that all of them have."""

from pathlib import Path
from typing import Any

from brainalign.command import run
from brainalign.provenance import Provenance
from brainalign.responses.joined import join_responses as join
from brainalign.responses.stored import read_responses
from brainalign.storage import content_digest, write_arrays, write_json


def join_responses(
    spec: dict[str, Any], provenance: Provenance, responses: list[Path], out: Path, digest: Path
) -> None:
    """Write one file of all responses, whose samples say which data set they are of."""
    datasets = {name: read_responses(path) for name, path in zip(spec["datasets"], responses, strict=True)}
    joined = join(datasets)
    variables, simulated = joined.variables(), any(data.simulated for data in datasets.values())
    write_arrays(out, variables, {**provenance.attributes(), **joined.facts, "simulated": int(simulated)})
    write_json(digest, {"content": content_digest(variables), "facts": dict(joined.facts)})


if __name__ == "__main__":
    run(join_responses)
