"""Untrained twins: each a model of its own, with its own spec."""

from brainalign.config.study import read_study
from brainalign.config.twins import twin_name, with_twins


def test_twins_follow_their_model_in_the_configs_order(changed):
    study = read_study(changed({"models.tiny-16.untrained": {"seeds": [3, 1]}}))
    assert list(with_twins(study.models))[:4] == ["tiny-16", "tiny-16-untrained-3", "tiny-16-untrained-1", "tiny-32"]
    assert twin_name("tiny-16", 3) == "tiny-16-untrained-3"


def test_the_twin_of_a_trained_model_is_its_training_without_steps(config):
    models = with_twins(read_study(config).models)
    model, twin = models["tiny-16"], models["tiny-16-untrained-0"]
    assert (twin.kind, twin.family, twin.base, twin.dtype) == ("untrained", "tiny", "tiny-16", "float32")
    assert (twin.source, twin.revision, twin.tune, twin.twin_seed) == (None, None, None, None)
    assert model.train.steps == 200
    assert twin.train == model.train.model_copy(update={"steps": 0, "seed": 0, "batch": 16})


def test_what_only_steps_read_does_not_change_the_twin(changed):
    def twin(changes):
        return with_twins(read_study(changed(changes)).models)["tiny-16-untrained-0"]

    same = {"steps": 7, "batch": 3, "learning_rate": 0.5, "seed": 9}
    other = {"width": 20, "layers": 3, "heads": 1, "context": 512, "vocabulary": [], "architecture": "gpt2"}
    for key, value in same.items():
        assert twin({f"models.tiny-16.train.{key}": value}) == twin({})
    for key, value in other.items():
        assert twin({f"models.tiny-16.train.{key}": value}) != twin({})


def test_the_twin_of_a_fetched_model_has_its_source_and_a_seed(changed):
    entry = {"source": "a/b", "revision": "c", "family": "f", "kind": "vanilla", "dtype": "bfloat16"}
    models = with_twins(read_study(changed({"models.x": entry | {"untrained": {"seeds": [5]}}})).models)
    twin = models["x-untrained-5"]
    assert (twin.source, twin.revision, twin.twin_seed, twin.dtype) == ("a/b", "c", 5, "bfloat16")
    assert (twin.kind, twin.base, twin.train) == ("untrained", "x", None)
    assert models["x"].twin_seed is None
