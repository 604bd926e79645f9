"""Whether a data set has the region that it names as its control, as far as that is known before a job starts."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from brainalign.config.base import refers
from brainalign.config.data import JoinedDataset, TableDataset
from brainalign.config.joined import parts

if TYPE_CHECKING:
    from brainalign.config.study import Study


def impossible_control_regions(study: "Study") -> Iterator[str]:
    """Yield a sentence for each control region that a data set from tables, or of several joined, has not.

    What is known only when responses are read, such as regions that are the columns of a CSV, is said by the stage that
    scores them.
    """
    for name, entry in study.datasets.items():
        if entry.control_region is None or not isinstance(entry, TableDataset | JoinedDataset):
            continue
        key = f"datasets.{name}.control_region"
        regions = _regions(study, name)
        if regions == []:
            yield (
                f"{key}: holds {entry.control_region!r}, but the data set {name!r} has no regions; give a "
                f"`neuroid_table` whose column datasets.{name}.region names them."
            )
        elif regions is not None:
            yield from refers(key, entry.control_region, regions, f"region of the data set {name!r}")


def _regions(study: "Study", name: str) -> list[str] | None:
    """Return the regions of a data set, of a joined one those that all parts have; None where they are not known."""
    found = [_regions_of_table(entry) for entry in parts(study, name).values() if isinstance(entry, TableDataset)]
    known = [regions for regions in found if regions is not None]
    if not known or len(known) < len(found):
        return None
    return [region for region in known[0] if all(region in regions for regions in known)]


def _regions_of_table(entry: TableDataset) -> list[str] | None:
    if entry.neuroid_table is None:
        return None if entry.region_per_neuroid else []
    path = Path(entry.neuroid_table).expanduser()
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
            if entry.region not in (rows.fieldnames or []):
                return []
            return list(dict.fromkeys(row[entry.region] for row in rows if row[entry.region]))
    except (UnicodeDecodeError, csv.Error):  # told where the table is read to be used
        return None
