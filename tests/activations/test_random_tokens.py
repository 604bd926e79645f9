"""Random tokens in the place of a text's: the same lengths, parts and passes, and nothing of the text."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from activations.families import CONFIGS
from activations.test_extraction import assert_same
from brainalign.activations.extraction import extract
from brainalign.activations.one_by_one import extract_one_by_one
from brainalign.activations.passes import Reader, plan_passes
from brainalign.activations.random_tokens import RandomTokens, drawable_and_kept
from brainalign.activations.readout import Readout
from brainalign.errors import InputError
from brainalign.models.tokenisation import tokenise

Tables = Callable[..., pd.DataFrame]
RANDOM = Readout(tokens="random", pooling="mean")
READOUTS = {
    "group": RANDOM,
    "alone": replace(RANDOM, context="none"),
    "a window of words": replace(RANDOM, context="window", window=2),
    "a window of tokens": replace(RANDOM, context="window", window=5, unit="tokens"),
    "restarting": replace(RANDOM, limit=24),
    "sliding, joined at punctuation": replace(RANDOM, limit=24, overflow="slide", join="punctuation"),
    "a window of words, joined at punctuation": replace(RANDOM, context="window", window=3, join="punctuation"),
    "with a prompt, and special tokens in the parts": replace(RANDOM, prompt="Read this:", special_tokens="part"),
    "another seed": replace(RANDOM, seed=7),
}


@pytest.mark.parametrize("tokenizer", ["byte_tokenizer", "spanning_tokenizer"])
@pytest.mark.parametrize("name", READOUTS)
def test_fast_is_slow(
    make_model: Callable[[str], Any], request: pytest.FixtureRequest, stimuli: pd.DataFrame, tables: Tables,
    name: str, tokenizer: str,
) -> None:  # fmt: skip
    if tokenizer == "spanning_tokenizer":
        stimuli = tables(["a b", "a", "b c", "d", "c d d", "c"], ["a b a b", "a b a b"], ["a b , c ."])
    chosen = request.getfixturevalue(tokenizer)
    for family in ("llama", "roberta", "t5"):
        fast = extract(make_model(family), chosen, stimuli, READOUTS[name])
        assert_same(fast.layers, extract_one_by_one(make_model(family), chosen, stimuli, READOUTS[name]))


def test_long_groups_whose_beginnings_share_their_tokens(byte_tokenizer: Any, tables: Tables) -> None:
    """Past the length up to which every beginning is tokenised by itself; passes are shared as with the text's own."""
    stimuli = tables(["The red fox sleeps near the old mill."] * 60)
    plans = {
        tokens: plan_passes(stimuli, byte_tokenizer, Readout(tokens=tokens), Reader(causal=True))
        for tokens in ("text", "random")
    }
    text, random = plans["text"].passes, plans["random"].passes
    assert plans["text"].summary == plans["random"].summary
    assert [item.parts for item in text] == [item.parts for item in random]
    assert [len(item) for item in text] == [len(item) for item in random] == [len(random[0])]
    assert (text[0].ids() != random[0].ids())[1:].mean() > 0.9
    assert len(set(random[0].ids())) > 5 * len(set(text[0].ids()))  # no sentence comes twice
    (whole,) = tokenise(byte_tokenizer, [" ".join(stimuli["text"])])
    (alone,) = RandomTokens(byte_tokenizer, 0).instead_of([whole], "group-0")
    np.testing.assert_array_equal(random[0].ids()[1:], alone.ids)


def test_where_a_text_is_parted_does_not_matter(byte_tokenizer: Any) -> None:
    """Also not between two tokens of one character, which differ although they end at the same place."""
    (whole,) = tokenise(byte_tokenizer, ["日本語 é🙂 fox"])
    assert len(set(whole.ends)) < whole.count
    random = RandomTokens(byte_tokenizer, 0)
    (expected,) = random.instead_of([whole], "g", 5)
    for place in range(whole.count + 1):
        head, tail = (whole.ids[:place], whole.ids[place:]), (whole.ends[:place], whole.ends[place:])
        parted = replace(whole, head=head[0], tail=head[1], head_ends=tail[0], tail_ends=tail[1])
        found = random.instead_of([parted, whole, parted], "g", 5)
        for item in found:
            np.testing.assert_array_equal(item.ids, expected.ids)


def test_a_text_keeps_nothing_but_its_lengths(byte_tokenizer: Any, tables: Tables) -> None:
    """Another text whose tokens are as long has the same random tokens; so they tell nothing of it."""
    ids = []
    for text in ("xqzvj", "kwgpb"):
        (item,) = plan_passes(tables([text]), byte_tokenizer, RANDOM, Reader(causal=True)).passes
        ids.append(item.ids().tolist())
    assert ids[0] == ids[1]
    assert ids[0][0] == byte_tokenizer.bos_token_id  # what the tokenizer adds stays
    assert len(ids[0]) == 6


def test_a_groups_random_text_is_the_same_in_any_context(byte_tokenizer: Any, tables: Tables) -> None:
    stimuli = tables(["The red", "fox sleeps", "near"], ["The red", "fox sleeps", "near"])
    found = {}
    for context, window in (("group", None), ("window", 2), ("window", 3)):
        readout = Readout(context, window, tokens="random")
        plan = plan_passes(stimuli, byte_tokenizer, readout, Reader(causal=False))
        last = {part.row: item.ids()[part.first : part.last].tolist() for item in plan.passes for part in item.parts}
        found[context, window] = [last[row] for row in range(1, 6)]  # of the tokens that are the same in all
    assert found["group", None][1] == found["window", 2][1] == found["window", 3][1]
    assert found["group", None][1] != found["group", None][4]  # each group has its own


def test_seeds_and_the_range_of_the_ids(byte_tokenizer: Any) -> None:
    texts = ["The red fox sleeps near the old mill. " * 200]
    tokens = tokenise(byte_tokenizer, texts)
    first, again, other = (RandomTokens(byte_tokenizer, seed).instead_of(tokens, "g")[0].ids for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).mean() > 0.95
    drawable, kept = drawable_and_kept(byte_tokenizer)
    assert set(first) <= set(drawable)
    assert not set(drawable) & set(kept)
    assert kept.tolist() == [byte_tokenizer.bos_token_id]
    # uniform: a count has a standard deviation of about the root of its mean
    counts = np.bincount(first, minlength=len(byte_tokenizer))[drawable]
    expected = len(first) / len(drawable)
    chi = ((counts - expected) ** 2 / expected).sum()
    assert abs(chi - len(drawable)) < 5 * np.sqrt(2 * len(drawable))


def test_special_tokens_that_a_text_spells_out_stay_and_unknown_ones_do_not(spanning_tokenizer: Any) -> None:
    (tokens,) = tokenise(spanning_tokenizer, ["a b</s>a zz c"])
    (random,) = RandomTokens(spanning_tokenizer, 0).instead_of([tokens], "g")
    eos, unknown = spanning_tokenizer.eos_token_id, spanning_tokenizer.unk_token_id
    assert eos in tokens.ids
    assert unknown in tokens.ids
    np.testing.assert_array_equal(random.ids == eos, tokens.ids == eos)
    assert unknown not in random.ids
    np.testing.assert_array_equal(random.ends, tokens.ends)


def test_a_vocabulary_of_special_tokens_is_refused() -> None:
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    bare = Tokenizer(models.WordLevel({"<s>": 0}, unk_token="<s>"))
    with pytest.raises(InputError, match="has no tokens but special ones"):
        RandomTokens(PreTrainedTokenizerFast(tokenizer_object=bare, bos_token="<s>"), 0)


def test_no_family_reads_the_text(make_model: Callable[[str], Any], byte_tokenizer: Any, tables: Tables) -> None:
    """Two texts of one length give one state, in every family; the text's own tokens give two."""
    for family in CONFIGS:
        for tokens, same in (("random", True), ("text", False)):
            readout = Readout(tokens=tokens)
            first, second = (
                extract(make_model(family), byte_tokenizer, tables([text]), readout).layers
                for text in ("xqzvj", "kwgpb")
            )
            name = next(layer for layer in reversed(list(first)))
            assert np.array_equal(first[name], second[name]) == same, (family, tokens)
