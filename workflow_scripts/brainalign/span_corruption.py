"""The loss that T5 and its relatives were pretrained with: restoring spans that were cut out of a text.

An encoder with a decoder has no next-word loss of running text. Raffel et al. 2020 (sections 3.1.4 and 3.3.4) cut 15 %
of a text's tokens out in spans of three on average, put a sentinel in the place of each, and have the decoder write
them: sentinel, span, sentinel, span, …, end. Which tokens are cut out follows their `random_spans_noise_mask`
(google-research/text-to-text-transfer-transformer, t5/data/preprocessors.py), with a fixed seed.

Such a loss sees both sides of a gap. It compares models of this kind with each other, not with next-word losses.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from brainalign.errors import InputError
from brainalign.losses import log_probability_of, mean_losses
from brainalign.models.batching import TOKEN_BUDGET, batches_by_length, fill_right
from brainalign.models.tokenisation import Tokens, tokenise

SPAN_CORRUPTION = "span corruption"
DENSITY = 0.15  # of tokens that are cut out
MEAN_SPAN = 3.0  # tokens
_SENTINEL = "<extra_id_{}>"
_MOST_SENTINELS = 100


@dataclass(frozen=True)
class Corrupted:
    """A part of a text with gaps, and what fills them.

    inputs : ids that the encoder reads (position,); targets : ids that the decoder writes (position,).
    words, bytes : of the text that was cut out; a word is cut out where its first character is.
    """

    inputs: np.ndarray
    targets: np.ndarray
    words: int
    bytes: int


def span_corruption_loss(
    model: Any, tokenizer: Any, documents: Sequence[str], window: int, seed: int, budget: int = TOKEN_BUDGET
) -> dict[str, float | int | str]:
    """Return the mean negative log-likelihood of the spans cut out of a text, given the rest of it.

    Documents are cut into parts of `window` tokens that do not overlap; a part of one token has nothing to cut out and
    is not scored. `tokens` counts what the decoder writes, sentinels and the end included, as in training; words and
    bytes are those of the text that was cut out.

    Parameters
    ----------
    model : an encoder with a decoder and its head; tokenizer : its own, with sentinels `<extra_id_0>`, ….
    documents : texts.
    window : tokens of a part before spans are cut out of it; T5 was trained on 568, which leave 512 to the encoder.
    seed : of the spans.
    budget : tokens of one batch.

    Returns
    -------
    as `losses.next_word_loss`, but span_nats_per_token, span_nats_per_word, span_nats_per_byte, and with the number of
    spans and the seed.

    Raises
    ------
    InputError : nothing to score, a window below 2, a tokenizer without sentinels or with too few of them, a loss that
        is not finite.
    """
    if window < 2:
        raise InputError(f"the window must be at least 2 tokens, but is {window}.")
    texts = [text for text in documents if text.strip()]
    sentinels, end = _special_ids(tokenizer)
    random = np.random.default_rng(seed)
    tokenised = tokenise(tokenizer, texts)
    parts = [
        part
        for text, tokens in zip(texts, tokenised, strict=True)
        for part in _corrupted_parts(text, tokens, window, sentinels, end, random)
    ]
    if not parts:
        raise InputError("there is no text to compute a loss on.")
    nats = float(sum(-part.sum() for part in target_log_probabilities(model, parts, budget)))
    spans = sum(int(np.isin(part.targets, sentinels).sum()) for part in parts)
    scored = sum(len(part.targets) for part in parts)
    words, size = sum(part.words for part in parts), sum(part.bytes for part in parts)
    return mean_losses(nats, scored, max(words, 1), max(size, 1), of="span_") | {
        "documents": len(texts),
        "unknown_tokens": sum(int((tokens.ids == tokenizer.unk_token_id).sum()) for tokens in tokenised),
        "spans": spans,
        "objective": SPAN_CORRUPTION,
        "window": window,
        "seed": seed,
    }


def noise_mask(length: int, random: np.random.Generator) -> np.ndarray:
    """Return which tokens of a part are cut out (token,), of truth values; the first never is, the last always.

    Their number is length × DENSITY and that of spans this over MEAN_SPAN, both rounded, at least 1. Lengths of spans
    and of what stands between them are uniform over all ways to cut them.

    Parameters
    ----------
    length : at least 2 tokens.
    """
    noise = min(max(round(length * DENSITY), 1), length - 1)
    spans = min(max(round(noise / MEAN_SPAN), 1), length - noise)
    lengths = np.stack([_segments(length - noise, spans, random), _segments(noise, spans, random)], axis=1)
    return np.repeat(np.tile([False, True], spans), lengths.ravel())


def corrupt(ids: np.ndarray, mask: np.ndarray, sentinels: np.ndarray, end: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what the encoder reads and what the decoder writes.

    >>> ids, mask = np.arange(10, 16), np.array([False, True, True, False, False, True])
    >>> inputs, targets = corrupt(ids, mask, np.array([99, 98]), end=1)
    >>> inputs.tolist(), targets.tolist()
    ([10, 99, 13, 14, 98, 1], [99, 11, 12, 98, 15, 1])
    """
    begins = mask & ~np.concatenate([[False], mask[:-1]])
    sentinel_of = sentinels[np.cumsum(begins) - 1]
    inputs = np.where(mask, sentinel_of, ids)[~mask | begins]
    targets = np.insert(ids[mask], np.flatnonzero(begins[mask]), sentinel_of[begins])
    return np.append(inputs, end), np.append(targets, end)


def target_log_probabilities(
    model: Any, parts: Sequence[Corrupted], budget: int = TOKEN_BUDGET
) -> Iterator[np.ndarray]:
    """Yield log p(target | inputs, targets before it), in nats, of each part's targets (position,), in any order."""
    import torch

    start = model.config.decoder_start_token_id
    for batch in batches_by_length([len(parts[index].inputs) for index in range(len(parts))], budget):
        inputs, mask = (torch.from_numpy(array) for array in fill_right([parts[index].inputs for index in batch]))
        targets = torch.from_numpy(fill_right([parts[index].targets for index in batch])[0])
        before = torch.cat([torch.full((len(batch), 1), start), targets[:, :-1]], dim=1)  # (part, position)
        inputs, mask, targets, before = (array.to(model.device) for array in (inputs, mask, targets, before))
        with torch.inference_mode():
            logits = model(input_ids=inputs, attention_mask=mask, decoder_input_ids=before, use_cache=False).logits
            values = log_probability_of(logits, targets).double().cpu().numpy()
        yield from (values[row, : len(parts[index].targets)] for row, index in enumerate(batch))


def _corrupted_parts(
    text: str, tokens: Tokens, window: int, sentinels: np.ndarray, end: int, random: np.random.Generator
) -> Iterator[Corrupted]:
    """Yield the parts of one document."""
    ids, ends = tokens.ids, np.minimum(tokens.ends, len(text))
    for start in range(0, len(ids) - 1, window):
        own = ids[start : start + window]
        if len(own) < 2:
            continue
        mask = noise_mask(len(own), random)
        spans = int((mask[1:] & ~mask[:-1]).sum())
        if spans > len(sentinels):
            raise InputError(
                f"a window of {window} tokens has {spans} spans cut out, but the tokenizer has only {len(sentinels)} "
                "sentinels; a smaller window is needed."
            )
        begins = np.concatenate([[ends[start - 1] if start else 0], ends[start : start + len(own) - 1]])
        cut = np.zeros(len(text) + 1, dtype=bool)  # (character,)
        for first, last in zip(begins[mask], ends[start : start + len(own)][mask], strict=True):
            cut[first:last] = True
        yield Corrupted(*corrupt(own, mask, sentinels, end), *_words_and_bytes(text, cut))


def _words_and_bytes(text: str, cut: np.ndarray) -> tuple[int, int]:
    """Return how many words begin in, and how many bytes are of, the characters that are cut out (character,)."""
    chosen = np.flatnonzero(cut[: len(text)])
    words = sum(1 for at in chosen if not text[at].isspace() and (at == 0 or text[at - 1].isspace()))
    return words, sum(len(text[at].encode()) for at in chosen)


def _segments(items: int, segments: int, random: np.random.Generator) -> np.ndarray:
    """Return the lengths (segment,) of items cut into segments that are not empty, every way equally likely."""
    cuts = np.sort(random.permutation(items - 1)[: segments - 1]) + 1
    return np.diff(np.concatenate([[0], cuts, [items]]))


def _special_ids(tokenizer: Any) -> tuple[np.ndarray, int]:
    """Return the ids of the sentinels, in their order, and of the end. Raises InputError where there are none."""
    vocabulary = tokenizer.get_vocab()
    names = [_SENTINEL.format(number) for number in range(_MOST_SENTINELS)]
    found = [vocabulary[name] for name in names if name in vocabulary]
    if not found or tokenizer.eos_token_id is None:
        raise InputError(
            "the tokenizer has no sentinels (<extra_id_0>, …) or no end token, by which an encoder with a decoder is "
            "asked for words; such a loss is known for T5 and its relatives only."
        )
    return np.array(found), int(tokenizer.eos_token_id)
