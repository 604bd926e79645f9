"""The main job on real input: a trained model and its untrained twins on 1,000 sentences and 6 language regions.

The study is written here, run by snakemake, and checked against scikit-learn's RidgeCV at every layer.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.stats import pearsonr
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold

from brainalign.storage import read_arrays, read_attributes
from real.data import DATA, ROOT

PENALTIES = np.logspace(-3, 6, 19)
MODELS = ["stories260k", *(f"stories260k-untrained-{seed}" for seed in (0, 1))]
READOUTS = {"last": "last-token", "mean": "mean"}
REGIONS = ["lang_LH_AntTemp", "lang_LH_IFG", "lang_LH_IFGorb", "lang_LH_MFG", "lang_LH_PostTemp", "lang_LH_netw"]
LAYERS = ["embeddings", *(f"block_{index:02d}" for index in range(1, 6)), "final"]


def _study() -> dict[str, object]:
    bold = str(DATA / "tuckute2024/bold_response_LH.csv")
    ceilings = {"table": str(DATA / "tuckute2024/noise_ceilings.csv"), "neuroid": "roi", "value": "nc", "units": "r"}
    return {
        "study": "tuckute",
        "models": {
            "stories260k": {
                "source": str(DATA / "models/stories260k"),
                "family": "stories260k",
                "kind": "vanilla",
                "untrained": {"seeds": [0, 1]},
            }
        },
        "features": {
            "length": {"control": "length"},
            "length-in-tokens": {"table": "lengths.csv", "as_null": True},
        },
        "datasets": {
            "tuckute2024": {
                "loader": "table",
                "stimuli": bold,
                "text": "sentence",
                "id": "item_id",
                "responses": bold,
                "neuroids": REGIONS,
                "region_per_neuroid": True,
                "ceilings": {"given": ceilings},
                "citation": "Tuckute et al. 2024",
            }
        },
        "readouts": {name: {"context": "none", "pooling": pooling} for pooling, name in READOUTS.items()},
        "encoders": {
            "ridge": {
                "regression": "ridge",
                "penalties": "per-neuroid",
                "inner": "leave-one-out",
                "grid": {"log10_min": -3, "log10_max": 6, "count": 19, "scale": "absolute"},
                "split": {"kind": "kfold", "folds": 5, "seed": 0},
                "layer": "nested",
                "mixtures": 5,
                "bootstrap": {"draws": 500, "seed": 0},
            }
        },
        "figures": ["alignment", "layers"],
    }


def _write_lengths(path: Path) -> None:
    """Characters, and tokens of the model's own tokenizer: what is known of a sentence without reading it."""
    from transformers import AutoTokenizer

    table = pd.read_csv(DATA / "tuckute2024/bold_response_LH.csv")
    tokenizer = AutoTokenizer.from_pretrained(DATA / "models/stories260k")
    tokens = [len(ids) for ids in tokenizer(table["sentence"].tolist(), add_special_tokens=False).input_ids]
    lengths = {"stimulus_id": table["item_id"], "characters": table["sentence"].str.len(), "tokens": tokens}
    pd.DataFrame(lengths).to_csv(path, index=False)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the study has run."""
    if not DATA.is_dir():
        pytest.skip(f"the real data sets are not at {DATA}")
    folder = tmp_path_factory.mktemp("real")
    _write_lengths(folder / "lengths.csv")
    (folder / "tuckute.yaml").write_text(yaml.safe_dump(_study(), sort_keys=False))
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", "2"]
    command += ["--workflow-profile", str(ROOT / "profiles/default"), "--configfile", "tuckute.yaml"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="session")
def scores(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "results/studies/tuckute/alignment.csv")


def _expected(features: np.ndarray, responses: np.ndarray) -> np.ndarray:
    """Mean over folds of r per region, with scikit-learn alone.

    A prediction whose SD is under 1e-8 of the response's counts as constant and scores 0, here as in the project: the
    embedding of the full stop that ends every sentence, or a penalty that leaves nothing of the features.
    """
    folds = []
    for train, test in KFold(5, shuffle=True, random_state=0).split(features):
        fitted = RidgeCV(PENALTIES, alpha_per_target=True).fit(features[train], responses[train])
        predicted = fitted.predict(features[test])
        constant = predicted.std(axis=0) <= 1e-8 * responses[test].std(axis=0)
        columns = range(responses.shape[1])
        folds.append([0.0 if constant[i] else pearsonr(predicted[:, i], responses[test, i])[0] for i in columns])
    return np.mean(folds, axis=0)


@pytest.mark.parametrize("readout", READOUTS.values())
@pytest.mark.parametrize("model", MODELS)
def test_every_layer_scores_what_ridgecv_scores(folder: Path, scores: pd.DataFrame, model: str, readout: str) -> None:
    responses = pd.read_csv(DATA / "tuckute2024/bold_response_LH.csv")[REGIONS].to_numpy(np.float32).astype(float)
    path = folder / f"results/activations/{readout}/{model}/tuckute2024.h5"
    assert json.loads(read_attributes(path)["layers"]) == LAYERS
    for layer in LAYERS:
        features = read_arrays(path, [layer])[layer].astype(float)
        own = scores.query("features == @model and readout == @readout and layer == @layer and subject == 'all'")
        found = own.set_index("region").loc[REGIONS, "r"].to_numpy()
        expected = _expected(features, responses)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6, err_msg=f"{model} {readout} {layer}")


def _network(scores: pd.DataFrame, features: str) -> pd.DataFrame:
    return scores.query("features == @features and region == 'lang_LH_netw' and subject == 'all' and layer != 'chosen'")


def test_the_language_network_scores_what_was_measured_before(scores: pd.DataFrame) -> None:
    """Independent measurements: about .28 trained, .06 to .19 untrained by seed and pooling, ceiling .559."""
    assert _network(scores, "stories260k")["r"].max() == pytest.approx(0.28, abs=0.03)
    for model in MODELS[1:]:
        for _, curve in _network(scores, model).groupby("readout"):
            assert 0.04 < curve["r"].max() < 0.21
    assert _network(scores, "stories260k")["ceiling"].unique() == pytest.approx([0.5591545773071571])


def test_length_alone_stands_beside_the_model(scores: pd.DataFrame) -> None:
    """Characters, words and marks predict what the model does, as do tokens of its own tokenizer; the table says so."""
    for null in ("length", "length-in-tokens"):
        assert _network(scores, null)["r"].max() == pytest.approx(0.27, abs=0.01)
    chosen = scores.query("features == 'stories260k' and layer == 'chosen' and region == 'lang_LH_netw'")
    assert set(chosen["readout"]) == set(READOUTS.values())
    assert set(chosen["best_null"]) <= {"length", "length-in-tokens"}
    np.testing.assert_allclose(chosen["over_null"], chosen["r"] - chosen["best_null_r"])
    assert (chosen["over_null_low"] < 0).all()
    assert (chosen["over_null_high"] > 0).all()
    for null in ("length", "length-in-tokens"):
        assert chosen["alarms"].str.contains(rf"r is no higher than that of the null {null}(?:;|$)").all()
