"""Words that stand in the joined tables and tell their rows apart."""

MODEL, NULL, GIVEN, JOINT = "model", "null", "given", "joint"  # kinds of features
TUNED, UNTRAINED = "instruction-tuned", "untrained"  # kinds of models
AVERAGE = "average"  # the data set of a mean over data sets
BEST = "best"  # the choice of the layer by its test score
BEHAVIOR = "behavior"  # the encoder of published scores that are of reading times, not of brain activity

LOSS_UNITS = ("nats_per_token", "nats_per_word", "nats_per_byte")
SPAN_UNITS = tuple(f"span_{unit}" for unit in LOSS_UNITS)  # of spans cut out of a text, which T5 has instead
