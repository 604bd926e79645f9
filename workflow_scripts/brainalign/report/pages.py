"""Which pages a report has for which tables, and what of a table is on them.

Light to import: rules read it when they are planned.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Rows = Literal["all", "everyone", "chosen", "layers", "parts"]
_NAMES = "dataset encoder readout features"
_SHOWN = (
    "r r_low r_high ceiling normalised over_null over_null_low over_null_high alarms layer_choice over_twin "
    "over_twin_low over_twin_high over_random_tokens over_random_tokens_low over_random_tokens_high best_null "
    "over_null_p over_null_q normalised_low normalised_high"
)


@dataclass(frozen=True)
class Page:
    """One table of a report.

    table : the name of the joined table; title, about : what stands above it; names : the columns that say what a row
    is of, of which those that differ between rows come first; shown : further columns in view at first, all where
    empty; rows : those that it has, see `tables.select_rows`.
    """

    table: str
    title: str
    about: str
    names: str = ""
    shown: str = ""
    rows: Rows = "all"


PAGES: Mapping[str, Page] = {
    "scores": Page(
        "alignment",
        "Scores",
        "The chosen layer over all subjects and regions, of every feature space.",
        _NAMES,
        _SHOWN,
        "chosen",
    ),
    "layers": Page(
        "alignment",
        "Layers",
        "Every layer over all subjects and regions.",
        f"{_NAMES} layer",
        f"layer_share {_SHOWN}",
        "layers",
    ),
    "subjects": Page(
        "alignment",
        "Subjects and regions",
        "The chosen layer of each subject and region.",
        f"{_NAMES} subject region",
        f"{_SHOWN} over_control over_control_low over_control_high control_region",
        "parts",
    ),
    "averages": Page(
        "averages",
        "Averages over data sets",
        "Each model's mean over collections of their mean over data sets.",
        "encoder readout features layer_choice",
        "r r_low r_high normalised normalised_low normalised_high datasets collections",
    ),
    "properties": Page("properties", "Properties of the models", "What is known of each model."),
    "property_sources": Page(
        "property_sources", "Sources of the properties", "Where each number about a model is from."
    ),
    "correlations": Page(
        "correlations",
        "Correlations",
        "Alignment with properties, over trained models.",
        "encoder readout dataset layer_choice over property",
        "pearson_r fisher_low fisher_high n bases pearson_p permutation_p corrected_p spearman_rho reason left_out",
    ),
    "controlled_correlations": Page(
        "controlled_correlations",
        "Correlations that hold something fixed",
        "Partial correlations, within families, and mixed models.",
        "encoder readout dataset layer_choice over analysis family property given",
        "estimate low high n p corrected_p reason",
    ),
    "pairs": Page(
        "pairs",
        "Instruction-tuned and vanilla pairs",
        "Each instruction-tuned model against its base, and the mean of the pairs.",
        "encoder readout dataset layer_choice row over tuned base",
        "difference difference_low difference_high difference_p over_bases_low over_bases_high wilcoxon_p_bases "
        "percent_change pairs bases reason",
    ),
    "reproduced": Page("reproduced", "Published and here", "Figures of a publication beside what this study finds."),
    "similarity": Page(
        "similarity",
        "Representational similarity",
        "Every layer over all subjects and regions.",
        "dataset similarity readout features layer",
        "value value_low value_high reason groups",
        "everyone",
    ),
}


def pages_of(tables: Iterable[str]) -> list[str]:
    """Return the names of the pages that these joined tables give."""
    given = set(tables)
    return [name for name, page in PAGES.items() if page.table in given]
