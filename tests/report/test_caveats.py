"""What has to be known is said, and what is not the case is not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from brainalign.report.caveats import caveats
from report.conftest import Invented

WithAlarm = Callable[[str, dict[str, str]], Invented]
CHOSEN = {"layer": "chosen", "subject": "all", "region": "all", "encoder": "controlled", "dataset": "passages"}


def texts(study: Invented, weight: str = "") -> list[str]:
    found = caveats(*study.four, study.config)
    return [caveat.text for caveat in found if weight in ("", caveat.weight)]


def test_alarms_stand_first(invented: Invented) -> None:
    weights = [caveat.weight for caveat in caveats(*invented.four, invented.config)]
    assert weights == sorted(weights, key=("alarm", "warning", "note").index)


def test_simulated_data_are_an_alarm_and_measured_data_are_not(invented: Invented) -> None:
    assert any(text.startswith("Simulated data: the responses of passages and stories") for text in texts(invented))
    measured = invented.changed(alignment=invented.tables.alignment.assign(simulated=0))
    assert not any("imulated" in text for text in texts(measured))


def test_a_leak_is_an_alarm_that_names_null_models_and_data(with_alarm: WithAlarm) -> None:
    alarm = "the null autocorrelation scores higher, which has no text: the split leaks"
    study = with_alarm(alarm, CHOSEN | {"features": "tiny-1"})
    found = [text for text in texts(study, "alarm") if text.startswith("Encoder controlled leaks.")]
    assert len(found) == 1
    assert "autocorrelation (r = " in found[0]
    assert "beats 1 of 6 models (tiny-1) on passages" in found[0]


def test_an_alarm_of_an_untrained_twin_is_not_one_of_the_models(with_alarm: WithAlarm) -> None:
    alarm = "the null autocorrelation scores higher, which has no text: the split leaks"
    study = with_alarm(alarm, CHOSEN)
    quiet = with_alarm("", CHOSEN)
    twins = quiet.tables.alignment["features"].str.contains("untrained")
    quiet.tables.alignment["alarms"] = study.tables.alignment["alarms"].where(twins, "")
    assert not any("controlled leaks" in text for text in texts(quiet))


def test_a_null_with_text_that_wins_is_a_warning(with_alarm: WithAlarm) -> None:
    study = with_alarm("the null length scores higher", CHOSEN | {"features": "tiny-2"})
    assert any("nulls score higher than trained models: length" in text for text in texts(study, "warning"))
    assert not any("controlled leaks" in text for text in texts(study))


def test_a_model_that_is_no_higher_than_a_null_is_a_warning_and_no_leak(with_alarm: WithAlarm) -> None:
    alarm = "r is no higher than that of the null autocorrelation; there are only 2 groups of samples"
    study = with_alarm(alarm, CHOSEN | {"features": "tiny-2"})
    begins = "Encoder controlled: trained models score no higher than nulls: "
    told = [text for text in texts(study) if text.startswith(begins)]
    assert len(told) == 1
    assert told[0].startswith(f"{begins}1 of 6 models (tiny-2) than autocorrelation (r = ")
    assert told[0] in texts(study, "warning")
    assert not any("leaks" in text or "score higher than trained" in text for text in texts(study))


def test_which_nulls_have_no_text_is_what_the_specs_say(invented: Invented) -> None:
    table = invented.tables.alignment.copy()
    where = table["features"].isin(["position", "length"]) & (table["layer"] == "chosen")
    table.loc[where, ["r", "r_low", "r_high"]] = [0.09, 0.06, 0.12]
    told = [text for text in texts(invented.changed(alignment=table)) if "nulls that have no text score" in text]
    assert told
    assert all("position reaches" in text and "length reaches" not in text for text in told)


@pytest.mark.parametrize(
    ("split", "said"),
    [
        ({"kind": "kfold", "seed": 1}, "single samples are held out"),
        ({"kind": "kfold"}, "blocks of consecutive samples are held out without a gap"),
        ({"kind": "contiguous", "gap": 0}, "blocks of consecutive samples are held out without a gap"),
        ({"kind": "contiguous", "gap": 2}, ""),
        ({"kind": "grouped"}, ""),
    ],
)
def test_what_neighbours_on_both_sides_of_a_split_are_is_told(
    invented: Invented, split: dict[str, Any], said: str
) -> None:
    encoders = dict(invented.config["encoders"])
    encoders["controlled"] = encoders["controlled"] | {"split": split}
    study = Invented(invented.folder, invented.tables, invented.config | {"encoders": encoders})
    told = [text for text in texts(study) if text.startswith("Encoder controlled:") and "neighbours" in text]
    assert len(told) == bool(said)
    assert all(text.startswith(f"Encoder controlled: {said}") for text in told)


def test_a_null_without_text_that_scores_is_a_warning_with_its_interval(invented: Invented) -> None:
    table = invented.tables.alignment.copy()
    where = (table["features"] == "position") & (table["encoder"] == "controlled") & (table["layer"] == "chosen")
    table.loc[where, ["r", "r_low", "r_high"]] = [0.09, 0.06, 0.12]
    found = texts(invented.changed(alignment=table), "warning")
    assert any("position reaches r = 0.090 [0.060, 0.120] on passages" in text for text in found)
    table.loc[where, "r_low"] = -0.01
    assert not any("position reaches" in text for text in texts(invented.changed(alignment=table)))


@pytest.mark.parametrize(
    ("alarm", "said"),
    [
        ("41% of neuroids have a penalty at the edge of the grid", "41 % of neuroids have a penalty at the edge"),
        ("33% of neuroids have a constant prediction", "33 % of neuroids have a constant prediction; they score 0"),
        ("least squares is least stable here, with 1.02 features per training sample", "least squares is unstable"),
    ],
)
def test_doubtful_fits_count_where_the_layer_was_chosen(with_alarm: WithAlarm, alarm: str, said: str) -> None:
    where = CHOSEN | {"features": "tiny-1"}
    table = with_alarm("", where).tables.alignment
    share = table[
        (table["features"] == "tiny-1") & (table["encoder"] == "controlled") & (table["dataset"] == "passages")
    ]
    chosen, other = share.loc[share["layer_share"].idxmax(), "layer"], share.loc[share["layer_share"].idxmin(), "layer"]
    assert any(said in text for text in texts(with_alarm(alarm, where | {"layer": chosen}), "note"))
    assert not any(said in text for text in texts(with_alarm(alarm, where | {"layer": other})))
    once = texts(with_alarm(alarm, where | {"layer": "chosen"}))  # what "chosen" says is said of the layer
    assert not any(said in text or alarm in text for text in once)


def test_an_alarm_that_nobody_knows_is_repeated_word_for_word(with_alarm: WithAlarm) -> None:
    study = with_alarm("3 neuroids were left out", CHOSEN | {"features": "tiny-1"})
    assert "Encoder controlled, passages: 3 neuroids were left out (1 model)." in texts(study, "warning")


def test_few_groups_and_few_subjects(with_alarm: WithAlarm) -> None:
    study = with_alarm("there are only 2 groups of samples", CHOSEN)
    assert "passages has only 2 groups of samples, so its intervals mean little." in texts(study, "alarm")
    assert any(text.startswith("passages has 3 subjects: with fewer than 6") for text in texts(study, "warning"))


def test_an_encoder_that_shuffles_and_peeks_is_told(invented: Invented) -> None:
    found = texts(invented, "warning")
    assert any(text.startswith("Encoder as-published: single samples are held out") for text in found)
    assert any("layer is taken by its test score" in text for text in found)
    assert not any(text.startswith("Encoder controlled: single samples") for text in found)


def test_missing_scores_and_properties_are_named(invented: Invented) -> None:
    table = invented.tables.alignment.copy()
    table.loc[(table["features"] == "tiny-3") & (table["encoder"] == "controlled"), "r"] = np.nan
    correlations = invented.tables.correlations.copy()
    correlations["left_out"] = "tiny-2 tiny-1"
    found = texts(invented.changed(alignment=table, correlations=correlations), "warning")
    assert "Encoder controlled, passages: there is no score of tiny-3." in found
    assert "Without a value of log10_parameters and world-loss, or a score: tiny-2 and tiny-1." in found


def test_ceilings_that_are_missing_or_noise(invented: Invented) -> None:
    table = invented.tables.alignment.copy()
    table["ceiling_above_noise"] = 0.0
    assert any("does not stand out from what noise gives" in text for text in texts(invented.changed(alignment=table)))
    table["ceiling"] = np.nan
    assert any(
        "there is no noise ceiling on passages and stories" in text for text in texts(invented.changed(alignment=table))
    )
    table = invented.tables.alignment.copy()
    table.loc[table["features"] == "tiny-2", "normalised"] = 1.2
    assert any(
        "above the ceiling scored 1 of 6 models (tiny-2)" in text for text in texts(invented.changed(alignment=table))
    )


@pytest.mark.parametrize(
    ("column", "said", "shown"),
    [
        ("over_twin", "its untrained twins", "what training adds"),
        ("over_random_tokens", "the same model reading random tokens", "what the text adds"),
    ],
)
def test_models_that_are_not_above_their_own_twins_or_random_tokens(
    invented: Invented, column: str, said: str, shown: str
) -> None:
    bounds = [column, f"{column}_low", f"{column}_high"]
    table = invented.tables.alignment.copy()
    trained = (table["features_kind"] == "model") & ~table["features"].str.contains("untrained")
    table.loc[trained, bounds] = [0.03, 0.01, 0.05]
    begins = f"Encoder controlled: r is not clearly above that of {said} "
    assert not any(text.startswith(begins) for text in texts(invented.changed(alignment=table)))
    where = trained & (table["encoder"] == "controlled") & (table["dataset"] == "stories")
    table.loc[where & (table["features"] == "tiny-2"), bounds] = [0.02, -0.01, 0.05]
    table.loc[where & (table["features"] == "tiny-1"), bounds] = [-0.02, -0.03, -0.01]
    (told,) = [text for text in texts(invented.changed(alignment=table), "warning") if text.startswith(begins)]
    assert told == (
        f"{begins}for 2 of 6 models on stories (tiny-1 −0.020 [−0.030, −0.010] and tiny-2 0.020 [−0.010, 0.050]). "
        f"Beside each name stands the difference with its paired interval. These scores do not show {shown}."
    )


def test_regions_that_are_not_above_the_control_region(invented: Invented) -> None:
    bounds = ["over_control", "over_control_low", "over_control_high"]
    begins = "Encoder controlled: r of a region is not clearly above that of the control region: "
    table = invented.tables.alignment.copy()
    table[bounds] = table[bounds].astype(float)
    table["control_region"] = table["control_region"].astype(object)
    here = table["region"] == "a"
    table.loc[here, bounds], table.loc[here, "control_region"] = [0.03, 0.01, 0.05], "b"
    assert not any(text.startswith(begins) for text in texts(invented.changed(alignment=table)))
    where = here & (table["encoder"] == "controlled") & (table["dataset"] == "stories") & (table["layer"] == "chosen")
    for features in ("tiny-2", "tiny-2-untrained-0", "length"):
        table.loc[where & (table["features"] == features), bounds] = [0.02, -0.01, 0.05]
    (told,) = [text for text in texts(invented.changed(alignment=table), "warning") if text.startswith(begins)]
    assert told.startswith(f"{begins}a against b for 1 of 6 models on stories (tiny-2 0.020 [−0.010, 0.050]). ")


def test_an_alarm_about_twins_is_told_once(with_alarm: WithAlarm) -> None:
    study = with_alarm("r is not clearly above that of its untrained twin", CHOSEN | {"features": "tiny-1"})
    assert not any("r is not clearly above that of its untrained twin (" in text for text in texts(study))


def test_versions_that_differ_and_missing_revisions(invented: Invented) -> None:
    table = invented.tables.alignment.assign(versions="numpy 2.4.6")
    table.loc[table["dataset"] == "stories", "versions"] = "numpy 2.4.7"
    config = invented.config | {
        "models": {"gpt2": {"source": "openai-community/gpt2", "family": "g", "kind": "vanilla"}}
    }
    study = Invented(invented.folder, invented.changed(alignment=table).tables, config)
    assert any("numpy 2.4.6 and numpy 2.4.7" in text for text in texts(study, "warning"))
    assert any("No revision is given of gpt2" in text for text in texts(study, "note"))


def test_published_numbers_are_called_so(invented: Invented) -> None:
    table = invented.tables.alignment.assign(layer_choice="published", simulated=0)
    study = Invented(invented.folder, invented.changed(alignment=table).tables, invented.config | {"encoders": {}})
    found = texts(study)
    assert any(text.startswith("Published numbers: the scores on passages and stories") for text in found)
    assert not any(text.startswith("Encoder ") for text in found)
