"""What the cluster's profile asks for fits the rules that there are."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
FITS = ("fit_encoder", "fit_joint_encoder", "estimate_ceilings", "keep_encoder")  # stages


def test_every_rule_that_fits_encoders_has_threads_on_a_cluster() -> None:
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "rules").glob("*.smk"))]
    rules = [rule for text in texts for rule in re.split(r"^rule ", text, flags=re.MULTILINE)[1:]]
    stages = {rule.partition(":")[0]: re.search(r"brainalign\.stages\.(\w+)", rule) for rule in rules}
    profile = yaml.safe_load((ROOT / "profiles/slurm/profile.yaml").read_text(encoding="utf-8"))
    assert set(profile["set-threads"]) == {name for name, stage in stages.items() if stage and stage[1] in FITS}
    assert set(profile["set-resources"]) <= set(stages)


def test_time_grows_with_the_attempt_as_memory_does() -> None:
    profile = yaml.safe_load((ROOT / "profiles/slurm/profile.yaml").read_text(encoding="utf-8"))
    minutes, _, factor = profile["default-resources"]["runtime"].partition(" * ")
    assert (int(minutes), factor, profile["retries"]) == (120, "attempt", 1)
