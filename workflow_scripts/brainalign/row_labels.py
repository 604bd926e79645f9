"""Words that stand in the joined tables and tell their rows apart."""

MODEL, NULL, GIVEN, JOINT = "model", "null", "given", "joint"  # kinds of features
TUNED, UNTRAINED = "instruction-tuned", "untrained"  # kinds of models
AVERAGE = "average"  # the data set of a mean over data sets
BEHAVIOR = "behavior"  # the encoder of published scores that are of reading times, not of brain activity
