"""Estimate every noise ceiling that a data set asks for."""

from pathlib import Path
from typing import Any

from brainalign.ceilings.given_table import read_given_ceilings
from brainalign.ceilings.kinds import estimate
from brainalign.ceilings.stored import ceiling_variables
from brainalign.command import run
from brainalign.encoding.scores import Units
from brainalign.encoding.settings import EncoderSettings
from brainalign.provenance import Provenance
from brainalign.responses.stored import read_responses
from brainalign.sources.folder import source_file
from brainalign.storage import write_arrays


def estimate_ceilings(
    spec: dict[str, Any], provenance: Provenance, responses: Path, given: list[Path], out: Path
) -> None:
    """Write ceilings per neuroid and aggregated, with their uncertainty."""
    settings = EncoderSettings.from_mapping(spec["encoder"])
    data = read_responses(responses)
    of_table = None
    if given:
        of_table = read_given_ceilings(source_file(given[0], "ceilings"), data.neuroids["neuroid"], **spec["given"])
    ceilings = estimate(spec["kinds"], data, settings, of_table)
    variables = ceiling_variables(ceilings, Units.from_table(data.neuroids), settings.draws)
    write_arrays(out, variables, {**provenance.attributes(), "simulated": int(data.simulated)})


if __name__ == "__main__":
    run(estimate_ceilings)
