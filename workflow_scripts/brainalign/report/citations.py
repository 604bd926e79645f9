"""What to cite: the data and texts, the models as they were read, and the tool; and the versions of what computed."""

import importlib.metadata
import platform
from collections.abc import Mapping
from typing import Any

import pandas as pd

LIBRARIES = "h5py itables matplotlib numpy pandas safetensors scipy snakemake tokenizers torch transformers".split()


def data_citations(config: Mapping[str, Any]) -> list[str]:
    """Return a line for each data set, published table or text: its citation, or that none is given."""
    entries = {**config["datasets"], **config["published"], **config.get("texts", {})}
    lines = []
    for name, entry in entries.items():
        missing = "simulated here" if entry.get("loader") == "simulated" else "no citation is given in the config"
        lines.append(f"{name}: {entry.get('citation') or missing}")
    return lines


def models_table(
    properties: pd.DataFrame, manifests: Mapping[str, Mapping[str, Any]], config: Mapping[str, Any]
) -> pd.DataFrame:
    """Return where each model is from: a repository and commit, a folder, a training here, or a publication.

    Parameters
    ----------
    manifests : model → its manifest, with `source`, `repository`, `commit` and `parameters`.
    """
    entries = config["models"]
    rows = []
    for model, kind in zip(properties["model"], properties["kind"], strict=True):
        manifest, entry = manifests.get(model, {}), entries.get(model, {})
        rows.append({"model": model, "kind": kind, "origin": _origin(manifest, entry, kind)})
    return pd.DataFrame(rows, columns=["model", "kind", "origin"])


def _origin(manifest: Mapping[str, Any], entry: Mapping[str, Any], kind: str) -> str:
    if not manifest:
        return "published scores only"
    if manifest.get("repository"):
        return f"{manifest['repository']} at {manifest.get('commit') or 'an unknown commit'}"
    if entry.get("train"):
        train = entry["train"]
        return (
            f"trained here on {train['text']}: {train['architecture']}, width {train['width']}, "
            f"{train['layers']} blocks, {train['steps']} steps of {train['batch']}, seed {train['seed']}"
        )
    if entry.get("tune"):
        tune = entry["tune"]
        return f"tuned here from {entry['base']} on {tune['text']}: {tune['steps']} steps, seed {tune['seed']}"
    if kind == "untrained":
        return "random weights, made here"
    if manifest.get("source") == "made":
        return f"weights of {entry.get('source', 'a delta')} added here to those of {entry.get('delta_of', 'its base')}"
    return f"a folder of the user's: {entry.get('source', '')}".rstrip(": ")


def tool_citation(tool: Mapping[str, Any]) -> list[str]:
    """Return how to cite the tool and what it goes back to, from its CITATION.cff; nothing where there is none."""
    if not tool:
        return []
    lines = [_reference(tool)]
    lines += [_reference(reference) for reference in tool.get("references", [])]
    return lines


def _reference(entry: Mapping[str, Any]) -> str:
    authors = [
        author.get("name") or f"{author.get('family-names', '')}, {author.get('given-names', '')}".strip(", ")
        for author in entry.get("authors", [])
    ]
    by = "; ".join(authors) + (f" ({entry['year']})" if entry.get("year") else "")
    parts = [f"{by}:" if by else "", f"{entry.get('title', '')}."]
    parts += [f"Version {entry['version']}." if entry.get("version") else "", str(entry.get("url", ""))]
    return " ".join(part for part in parts if part)


def installed_versions() -> dict[str, str]:
    """Return the version of Python and of each library that is installed where the report is written."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {"python": platform.python_version(), **found}
