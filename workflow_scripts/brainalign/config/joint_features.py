"""What follows from entries of `features` that are several feature spaces together."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from brainalign.config.base import RESERVED_READOUT, refers
from brainalign.config.features import JointFeatures
from brainalign.config.joined import covered_by, scored_by, with_responses
from brainalign.config.twins import with_twins

if TYPE_CHECKING:
    from brainalign.config.study import Study


def joint_features(study: "Study") -> dict[str, JointFeatures]:
    """Return the entries that are joint, by name."""
    return {name: entry for name, entry in study.features.items() if isinstance(entry, JointFeatures)}


def members_at(study: "Study", features: str, readout: str) -> list[tuple[str, str]]:
    """Return (readout, features) of each member of a joint entry: models at its readout, others at the reserved one."""
    models = with_twins(study.models)
    members = joint_features(study)[features].joint
    return [(readout if name in models else RESERVED_READOUT, name) for name in members]


def readouts_of(study: "Study", features: str) -> list[str]:
    """Return the readouts at which a joint entry is scored: all, or the reserved one where no member is a model."""
    models = with_twins(study.models)
    of_models = any(name in models for name in joint_features(study)[features].joint)
    return list(study.readouts) if of_models else [RESERVED_READOUT]


def datasets_of(study: "Study", features: str) -> list[str]:
    """Return the data sets on which a joint entry can be scored: those of its own and of each of its members."""
    covered = [covered_by(study, name) for name in (features, *joint_features(study)[features].joint)]
    return [name for name in with_responses(study) if all(name in of for of in covered)]


def impossible_joint_features(study: "Study") -> Iterator[str]:
    """Yield a sentence for each mistake about feature spaces that are joined."""
    joint = joint_features(study)
    models = [name for name, model in with_twins(study.models).items() if not model.published]
    allowed = [*models, *(name for name in study.features if name not in joint)]
    for name, entry in joint.items():
        key = f"features.{name}"
        mistakes = list(_impossible_members(f"{key}.joint", name, entry, joint, allowed))
        for dataset in entry.datasets or []:
            mistakes += refers(f"{key}.datasets", dataset, with_responses(study), "data set with responses")
        yield from mistakes or _nowhere(key, name, study)


def _impossible_members(
    key: str, own: str, entry: JointFeatures, joint: dict[str, JointFeatures], allowed: list[str]
) -> Iterator[str]:
    for member in entry.joint:
        if member == own:
            yield f"{key}: holds {member!r}, its own name; a feature space is not joined with itself."
        elif member in joint:
            yield f"{key}: holds {member!r}, which is joint itself; name its members, {', '.join(joint[member].joint)}."
        else:
            yield from refers(key, member, allowed, "model with weights or other entry of `features`")


def _nowhere(key: str, name: str, study: "Study") -> Iterator[str]:
    """Yield a sentence where a data set that is asked for lacks a member, where none has all, or none can be fitted."""
    entry, datasets = study.features[name], datasets_of(study, name)
    assert isinstance(entry, JointFeatures)
    lacking = [(of, dataset) for of in entry.joint for dataset in entry.datasets or [] if dataset not in datasets]
    for member, dataset in lacking:
        if dataset not in covered_by(study, member):
            yield f"{key}.datasets: holds {dataset!r}, which its member {member!r} does not cover."
    if lacking:
        return
    if not datasets:
        parts = [f"{member} ({', '.join(covered_by(study, member)) or 'none'})" for member in entry.joint]
        yield f"{key}.joint: no data set with responses has all its members, but only {'; '.join(parts)}."
        return
    joining = [encoder for encoder, settings in study.encoders.items() if settings.can_join]
    if not any({*datasets} & {*scored_by(study, encoder)} for encoder in joining):
        yield (
            f"{key}.joint: feature spaces are joined by a ridge with a linear kernel and an intercept, but of the "
            f"encoders that are for {', '.join(datasets)} none is one; give one, as "
            "{regression: ridge, split: {kind: grouped}}."
        )
