"""Mistakes in a study stop a run before its first job, each told in one sentence."""

from pathlib import Path

import pytest

from workflow.project import checkout

MINE = "  mine: {source: mine/model, family: g, kind: vanilla}\n"
TUNED = "kind: instruction-tuned, base: small}"
MISTAKES = {
    "two models of one name": (
        (MINE, f"{MINE}  small: {{source: mine/model, family: g, kind: vanilla}}\n"),
        "the key 'small' comes twice in one mapping, in lines",
    ),
    "an unknown base": (
        (TUNED, TUNED.replace("small}", "smal}")),
        "models.small-instruct.base: holds 'smal', which is the name of no other model; did you mean 'small'?",
    ),
    "a key without a value": (
        ("pooling: last}", "pooling: last, match: }"),
        "readouts.last.match: exactly one of components, projection, localizer must be given, but there is none of",
    ),
    "a percentage for a fraction": (
        ("analyses:\n", "analyses:\n  given: {t: {n: 9, r: {mmlu: 80.9}}}\n"),
        "analyses.given.t.r.mmlu: holds 80.9; a number of at most 1 is needed; a percentage has to be divided by 100.",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_no_job_is_begun(case: str, tmp_path: Path) -> None:
    (old, new), sentence = MISTAKES[case]
    project = checkout(tmp_path / "a project")
    project.edit("config.yaml", old, new)
    done = project.run(check=False)
    assert done.returncode != 0
    assert sentence in " ".join((done.stdout + done.stderr).split())
    assert not (project.path / "results").exists()
