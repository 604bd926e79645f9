"""Encodings, ceilings, manifests and losses of an invented study, written as the stages before alignment write them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from brainalign.provenance import Provenance
from brainalign.stages.compare_pairs import compare_pairs
from brainalign.stages.correlate_properties import correlate_properties
from brainalign.stages.join_study import join_study
from brainalign.stages.score_alignment import score_alignment
from brainalign.storage import Variable, write_arrays

PROVENANCE = Provenance("tests", {}, "tests@0")
ENCODERS = {"controlled": ("nested", 6), "as-published": ("best", 10)}
DATASETS = {"passages": 384, "stories": 600}
NULLS = ("position", "length", "autocorrelation")
SUBJECTS, REGIONS, NEUROIDS, DRAWS = ("S1", "S2", "S3"), ("a", "b"), 4, 200
LAYERS = ("embeddings", "block_01", "block_02", "block_03", "final")


def encoder_spec(encoder: str) -> dict[str, Any]:
    choice, folds = ENCODERS[encoder]
    return {"layer": choice, "split": {"kind": "grouped", "folds": folds}, "bootstrap": {"draws": DRAWS, "seed": 0}}


def text(values: Sequence[str]) -> np.ndarray:
    return np.array(list(values), dtype=object)


@dataclass
class WrittenStudy:
    """The files of an invented study, and how to make the later ones."""

    root: Path
    models: dict[str, dict[str, Any]]
    parameters: dict[str, int]
    simulated: int = 1
    losses: tuple[str, ...] = ("world-loss",)
    nulls: tuple[str, ...] = NULLS
    level_of_nulls: float = 0.06
    dependence: str = "counted"
    properties: dict[str, dict[str, float]] = field(default_factory=dict)
    encodings: list[Path] = field(default_factory=list)
    alignments: list[Path] = field(default_factory=list)

    @property
    def pairs(self) -> dict[str, str]:
        return {name: entry["base"] for name, entry in self.models.items() if entry["kind"] == "instruction-tuned"}

    def write_cells(self) -> None:
        for number, (encoder, dataset) in enumerate((e, d) for e in ENCODERS for d in DATASETS):
            random = np.random.default_rng(number)
            noise = random.normal(0, 0.02, (DRAWS, 1, len(SUBJECTS) + 1, len(REGIONS) + 1))
            nulls = [self.encoding(random, noise, encoder, "none", null, dataset) for null in self.nulls]
            of_models = [self.encoding(random, noise, encoder, "last-token", name, dataset) for name in self.models]
            ceilings = self.ceilings(random, encoder, dataset)
            for path in (*nulls, *of_models):
                twins = [other for other in of_models if other.parent.name in self.twins_of(path.parent.name)]
                self.alignments.append(self.alignment(path, ceilings, [] if path in nulls else nulls, twins))
                self.encodings.append(path)

    def twins_of(self, name: str) -> list[str]:
        """The untrained twins of a model, or of the base that it was tuned from."""
        entry = self.models.get(name, {})
        owner = entry.get("base") if entry.get("kind") == "instruction-tuned" else name
        return [twin for twin, other in self.models.items() if (other["kind"], other["base"]) == ("untrained", owner)]

    def encoding(
        self, random: np.random.Generator, noise: np.ndarray, encoder: str, readout: str, features: str, dataset: str
    ) -> Path:
        path = self.root / "encoding" / encoder / readout / features / f"{dataset}.h5"
        model = features in self.models
        layers = LAYERS if model else ("sigma_1.0", "sigma_2.0")
        level = 0.05 + 0.02 * (np.log10(self.parameters[features]) - 4) if model else self.level_of_nulls
        if model and self.models[features]["kind"] == "untrained":
            level = 0.05
        bump = np.sin(np.linspace(0.4, 2.6, len(layers)))[:, None, None]
        r = level * bump + random.normal(0, 0.01, (len(layers), len(SUBJECTS) + 1, len(REGIONS) + 1))
        folds = ENCODERS[encoder][1]
        best = int(r[:, 0, 0].argmax())
        chosen = np.full(folds, best)
        if encoder == "controlled":
            chosen[0] = max(best - 1, 0)
        scores = np.concatenate([r, r[best : best + 1] - 0.002])
        own = random.normal(0, 0.008, (DRAWS, *scores.shape))
        pairs = random.normal(0, 0.003, (12, 12, *scores.shape))
        neuroids = len(SUBJECTS) * NEUROIDS
        dims = ("score_layer", "score_subject", "score_region")
        variables = {
            "aggregate_r": Variable(dims, scores),
            "replicates": Variable(("draw", *dims), (scores + noise + own).astype(np.float32)),
            "aggregate_r2": Variable(dims, scores**2),
            "aggregate_r2_test_mean": Variable(dims, scores**2 - 0.01),
            "shift_p": Variable(dims[1:], np.full(scores.shape[1:], 0.002)),
            "spread_r2": Variable(dims[1:], np.full(scores.shape[1:], 1.2)),
            "replicates_r2": Variable(("draw", *dims[1:]), ((scores + noise + own)[:, -1] ** 2).astype(np.float32)),
            "chosen_layer": Variable(("fold", "choice_unit"), chosen.astype(np.int64)[:, None]),
            "group": Variable(("group",), text([f"g{number:02d}" for number in range(24)])),
            "contributions": Variable(
                ("group", *dims), (scores / 24 + random.normal(0, 0.002, (24, *scores.shape))).astype(np.float32)
            ),
            "pairs": Variable(("test_block", "block", *dims), (pairs + pairs.swapaxes(0, 1)).astype(np.float32)),
            "choice_spread": Variable(dims[1:], np.full(scores.shape[1:], 1.1)),
            "fold_of_block": Variable(("block",), np.arange(12) % folds),
            "edge_share": Variable(("layer", "fold"), np.zeros((len(layers), folds))),
            "constant_predictions": Variable(("layer", "scored_fold"), np.zeros((len(layers), folds), dtype=np.int64)),
            "width": Variable(("layer",), np.full(len(layers), 16)),
            "rank": Variable(("layer", "fold"), np.full((len(layers), folds), 16)),
            "train_rows": Variable(("fold",), np.full(folds, DATASETS[dataset] * (folds - 1) // folds)),
            "layer": Variable(("layer",), text(layers)),
            "score_layer": Variable(("score_layer",), text([*layers, "chosen"])),
            "score_subject": Variable(("score_subject",), text(["all", *SUBJECTS])),
            "score_region": Variable(("score_region",), text(["all", *REGIONS])),
            "neuroid": Variable(("neuroid",), text([f"n{number}" for number in range(neuroids)])),
            "subject": Variable(("neuroid",), text(np.repeat(SUBJECTS, NEUROIDS))),
            "region": Variable(("neuroid",), text(np.resize(REGIONS, neuroids))),
        }
        facts = {"samples": DATASETS[dataset], "simulated": self.simulated, "groups": 24}
        facts |= {"dependence": self.dependence, "pair_share": 0.9}
        facts |= {"versions": json.dumps({"numpy": "2.4.6"})}
        write_arrays(path, variables, {"spec": json.dumps(encoder_spec(encoder)), **facts})
        return path

    def ceilings(self, random: np.random.Generator, encoder: str, dataset: str, draws: int = DRAWS) -> Path:
        path = self.root / "ceilings" / encoder / f"{dataset}.h5"
        shape = (2, len(SUBJECTS) + 1, len(REGIONS) + 1)
        value = np.stack([random.uniform(0.4, 0.5, shape[1:]), random.uniform(0.2, 0.3, shape[1:])])
        drawn = np.full((draws, *shape), np.nan, dtype=np.float32)
        drawn[:, 0] = value[0] + random.normal(0, 0.02, (draws, *shape[1:]))
        dims = ("ceiling_kind", "score_subject", "score_region")
        variables = {
            "ceiling_kind": Variable(("ceiling_kind",), text(["known", "subject-pool"])),
            "ceiling_basis": Variable(("ceiling_kind",), text(["truth", "encoder"])),
            "ceiling_units": Variable(("ceiling_kind",), text(["r", "r"])),
            "score_subject": Variable(("score_subject",), text(["all", *SUBJECTS])),
            "score_region": Variable(("score_region",), text(["all", *REGIONS])),
            "ceiling_aggregate": Variable(dims, value),
            "ceiling_low": Variable(dims, value - 0.04),
            "ceiling_high": Variable(dims, value + 0.04),
            "ceiling_null": Variable(dims, np.stack([np.full(shape[1:], np.nan), value[1] - 0.15])),
            "ceiling_null_high": Variable(dims, np.stack([np.full(shape[1:], np.nan), value[1] - 0.1])),
            "ceiling_replicates": Variable(("draw", *dims), drawn),
        }
        spec = {"encoder": encoder_spec(encoder), "kinds": {"known": {}, "subject-pool": {}}}
        write_arrays(path, variables, {"spec": json.dumps(spec)})
        return path

    def names(self, encoding: Path) -> dict[str, str]:
        encoder, readout, features = encoding.parts[-4:-1]
        kind = "model" if features in self.models else "null"
        names = {"encoder": encoder, "readout": readout, "features": features, "dataset": encoding.stem}
        return names | {"collection": encoding.stem, "features_kind": kind, "layer_choice": ENCODERS[encoder][0]}

    def alignment(self, encoding: Path, ceilings: Path, nulls: list[Path], twins: Sequence[Path] = ()) -> Path:
        names = self.names(encoding)
        out = self.root / "alignment" / Path(*encoding.parts[-4:-1]) / f"{encoding.stem}.csv"
        score_alignment(names, PROVENANCE, encoding, ceilings, nulls, [], list(twins), [], out)
        return out

    def write_properties(self) -> tuple[list[Path], list[Path]]:
        manifests, losses = [], []
        for number, (model, parameters) in enumerate(self.parameters.items()):
            manifest = self.root / "models" / model / "manifest.json"
            manifest.parent.mkdir(parents=True, exist_ok=True)
            sizes = {"parameters": parameters, "width": 16 * (number + 1), "depth": 3, "vocabulary": 512}
            manifest.write_text(json.dumps(sizes))
            manifests.append(manifest)
            for loss in self.losses:
                path = self.root / "losses" / loss / f"{model}.json"
                path.parent.mkdir(parents=True, exist_ok=True)
                nats = 6 - np.log10(parameters) / 2 + 0.01 * (number % 5)
                path.write_text(
                    json.dumps({"nats_per_token": nats, "nats_per_word": 1.5 * nats, "nats_per_byte": nats / 4})
                )
                losses.append(path)
        return manifests, losses

    @property
    def study(self) -> Path:
        return self.root / "studies" / "invented"

    def join(self) -> tuple[Path, Path, Path]:
        manifests, losses = self.write_properties()
        names = ("alignment.csv", "properties.csv", "replicates.h5", "property_sources.csv")
        out = tuple(self.study / name for name in names)
        given = {name: {"values": values} for name, values in self.properties.items()}
        spec = {"models": self.models, "properties": given, "files": {}}
        join_study(spec, PROVENANCE, self.alignments, self.encodings, manifests, losses, [], *out, [], [])
        return out[0], out[1], out[2]

    def finish(self, correlate: Sequence[str] = ("log10_parameters", "world-loss")) -> "WrittenStudy":
        """Join, correlate and compare; the tables then lie in `study`."""
        self.analyse(*self.join(), correlate)
        return self

    def analyse(self, alignment: Path, properties: Path, replicates: Path, correlate: Sequence[str]) -> None:
        """Correlate and compare what is joined."""
        joined = alignment, properties, replicates
        spec = {"correlate": list(correlate), "draws": 300, "seed": 0}
        out = [self.study / name for name in ("correlations.csv", "controlled_correlations.csv", "averages.csv")]
        correlate_properties(spec, PROVENANCE, *joined, *out)
        compare_pairs({"pairs": self.pairs, "draws": 200, "seed": 0}, PROVENANCE, *joined, self.study / "pairs.csv")


def invent(
    root: Path, families: dict[str, Sequence[float]] | None = None, tuned: bool = True, **options: Any
) -> WrittenStudy:
    """Write the cells of a study: sizes (log10 of parameters) per family, each with a twin and, if wanted, tuned."""
    models: dict[str, dict[str, Any]] = {}
    parameters: dict[str, int] = {}
    for family, sizes in (families or {"tiny": (4.0, 5.0)}).items():
        for number, size in enumerate(sizes):
            base = f"{family}-{number + 1}"
            made = {base: ("vanilla", None), f"{base}-untrained-0": ("untrained", base)}
            if tuned:
                made[f"{base}-instruct"] = ("instruction-tuned", base)
            for name, (kind, of) in made.items():
                models[name] = {"family": family, "kind": kind, "base": of}
                parameters[name] = int(10**size)
    study = WrittenStudy(root, models, parameters, **options)
    study.write_cells()
    return study
