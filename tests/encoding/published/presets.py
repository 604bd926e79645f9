"""Encoders of a config, as the library reads them."""

from brainalign import specs, study_specs
from brainalign.config.study import read_study
from brainalign.encoding.settings import EncoderSettings


def settings_of(**encoder: object) -> EncoderSettings:
    """Return what an entry of `encoders` is to a data set with runs and onsets."""
    study = read_study(
        {
            "study": "s",
            "features": {"length": {"control": "length"}},
            "datasets": {"d": {"loader": "simulated", "kind": "stories", "seed": 0}},
            "encoders": {"e": encoder},
        }
    )
    assert read_study(study_specs.resolved(study)) == study
    return EncoderSettings.from_mapping(specs.encoder(study, "e", "none", "d"))
