"""Readouts as published pipelines have them, under their names.

brain-score : HuggingfaceSubject and prepare_context of github.com/brain-score/language. Every part is read with all
    earlier ones of its passage or story, joined by single spaces with none before punctuation; the state of the last
    token, whatever it is (SEP in a BERT), stands for the part; a text that is too long is cut from the left.
wehbe : the pipeline for Wehbe et al. 2014 of Toneva & Wehbe 2019 (github.com/mtoneva/brain_language_nlp). A word is
    read in a window of 20 words that ends with it, and is the mean of its tokens. Published work sweeps the size of
    the window from 1 to 1,000: set `context` to change it. There the first words of a run, which have fewer before
    them, all take the state of the 20th; here each is read with those that it has.
"""

from collections.abc import Mapping
from typing import Any

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "brain-score": {
        "context": "group",
        "pooling": "last",
        "overflow": "slide",
        "join": "punctuation",
        "special_tokens": "part",
    },
    "wehbe": {"context": "window", "window": 19, "unit": "words", "pooling": "mean", "overflow": "slide"},
}
