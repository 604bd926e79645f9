"""Losses of spans cut out of a text are told apart from next-word losses in every figure that shows losses."""

import pandas as pd

from brainalign.figures.tables import loss_columns, loss_in_words, measured_columns

COLUMNS = [f"wiki_{prefix}nats_per_{unit}" for prefix in ("", "span_") for unit in ("token", "word", "byte")]


def test_they_are_shown_where_they_are_correlated_and_not_beside_next_word_losses() -> None:
    properties = pd.DataFrame([{"model": "t5"} | dict.fromkeys(COLUMNS, 1.0)])
    assert loss_columns(properties) == {"wiki": COLUMNS[0]}
    assert loss_columns(properties, COLUMNS[5:]) == {"wiki": COLUMNS[0], COLUMNS[5]: COLUMNS[5]}
    assert measured_columns(properties) >= set(COLUMNS)


def test_they_have_a_name_of_their_own() -> None:
    assert loss_in_words("wiki_span_nats_per_byte") == ("loss of spans", "wiki", "nats per byte")
    assert loss_in_words("wiki") == loss_in_words("wiki_nats_per_token") == ("next-word loss", "wiki", "nats per token")
