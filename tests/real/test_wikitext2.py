"""Next-word loss of a real model on a real text, against the sliding window that transformers documents."""

from typing import Any

import pytest
import torch

from brainalign.losses import next_word_loss
from brainalign.models.loading import load
from brainalign.wikitext import articles, detokenise
from real.data import DATA

FOLDER = DATA / "models" / "stories260k"


@pytest.fixture(scope="module")
def model() -> tuple[Any, Any]:
    torch.set_num_threads(1)
    return load(FOLDER, head=True)


@pytest.fixture(scope="module")
def found() -> list[str]:
    return articles((DATA / "wikitext2" / "wiki.test.txt").read_text(encoding="utf-8"))


def test_both_splits_have_their_60_articles(found: list[str]) -> None:
    text = (DATA / "wikitext2" / "wiki.valid.txt").read_text(encoding="utf-8")
    assert (len(found), len(articles(text))) == (60, 60)
    assert found[0].startswith(" = Robert Boulter =\n")
    # The published size, 245,569 tokens, counts the end of each line as one.
    raw = (DATA / "wikitext2" / "wiki.test.txt").read_text(encoding="utf-8")
    assert sum(len(article.split()) for article in found) == len(raw.split()) == 241_211
    assert len(raw.split()) + raw.count("\n") == 245_569


def _sliding_window(model: Any, ids: list[int], window: int, stride: int) -> tuple[float, int]:
    """The loop of transformers' guide to perplexity, with the model's own loss, window by window."""
    nats, tokens, reached = 0.0, 0, 0
    for begin in range(0, len(ids), stride):
        end = min(begin + window, len(ids))
        labels = torch.tensor([ids[begin:end]])
        labels[:, : -(end - reached)] = -100
        scored = int((labels[:, 1:] != -100).sum())  # the model shifts labels by itself, which drops the first
        with torch.no_grad():
            loss = model(torch.tensor([ids[begin:end]]), labels=labels).loss
        nats += float(loss) * scored
        tokens += scored
        reached = end
        if end == len(ids):
            break
    return nats, tokens


def test_loss_of_some_articles_against_the_documented_loop(model: tuple[Any, Any], found: list[str]) -> None:
    measured = next_word_loss(*model, found[:3], window=512)
    nats, tokens = 0.0, 0
    for text in found[:3]:
        of_one = _sliding_window(model[0], model[1](text, add_special_tokens=True).input_ids, 512, 256)
        nats, tokens = nats + of_one[0], tokens + of_one[1]
    assert measured["tokens"] == tokens
    assert measured["nats"] == pytest.approx(nats, rel=1e-5)
    assert measured["nats_per_byte"] == pytest.approx(nats / sum(len(text.encode()) for text in found[:3]))


def test_an_article_is_easier_to_predict_when_its_words_are_put_together_again(
    model: tuple[Any, Any], found: list[str]
) -> None:
    split, together = (next_word_loss(*model, [text], window=512) for text in (found[0], detokenise(found[0])))
    assert together["nats"] < split["nats"]
    assert together["words"] < split["words"]


@pytest.mark.slow
def test_loss_of_the_first_twelve_articles(model: tuple[Any, Any], found: list[str]) -> None:
    """A pin, of a model that read children's stories only.

    Of all 60 articles it is 4.8611 nats a token, 16.223 a word and 3.0423 a byte, which takes four times as long.
    """
    measured = next_word_loss(*model, found[:12], window=512)
    assert (measured["tokens"], measured["words"], measured["bytes"]) == (184_755, 55_363, 295_941)
    assert measured["nats_per_token"] == pytest.approx(4.86586, abs=2e-4)
    assert measured["nats_per_word"] == pytest.approx(16.2381, abs=1e-3)
    assert measured["nats_per_byte"] == pytest.approx(3.03774, abs=1e-4)
