"""How well a model predicts the next word of a text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from brainalign.errors import InputError
from brainalign.models.batching import TOKEN_BUDGET, batches_by_length, fill_right
from brainalign.models.limits import context_limit
from brainalign.models.tokenisation import tokenise


@dataclass(frozen=True)
class Window:
    """What the model reads at once, and from where on its tokens are scored: ids (position,), first position ≥ 1."""

    ids: np.ndarray
    first: int


def next_word_loss(
    model: Any, tokenizer: Any, documents: Sequence[str], window: int, budget: int = TOKEN_BUDGET
) -> dict[str, float | int]:
    """Return the mean negative log-likelihood of a text, −Σ log p(token_t | tokens before t) / N.

    A document's first token is predicted from the tokenizer's begin token; without one it is not scored. A document
    longer than the window is read in windows that overlap by half, each token scored once, where it sees most.

    Parameters
    ----------
    model : with its next-word head; tokenizer : its own.
    documents : texts; a word is what stands between white space.
    window : tokens that the model reads at once, at most its limit.
    budget : tokens of one batch.

    Returns
    -------
    nats_per_token, nats_per_word, nats_per_byte (of UTF-8), nats (the sum), and the counts documents, tokens
    (those scored), words, bytes, unknown_tokens.

    Raises
    ------
    InputError : nothing to score, a window below 2 or above the model's limit, a loss that is not finite.
    """
    limit = context_limit(model)
    if window < 2 or (limit is not None and window > limit):
        raise InputError(f"the window must be 2 to {limit or 'any number of'} tokens, but is {window}.")
    texts = [text for text in documents if text.strip()]
    ids = [tokens.ids for tokens in tokenise(tokenizer, texts)]
    windows = [part for tokens in ids for part in cut_windows(tokens, tokenizer.bos_token_id, window)]
    scored = sum(len(part.ids) - part.first for part in windows)
    if not scored:
        raise InputError("there is no text to compute a loss on.")
    nats = float(sum(-part.sum() for part in log_probabilities(model, windows, budget)))
    if not np.isfinite(nats):
        raise InputError("the loss is not finite; a wider dtype (float32 or bfloat16) may help.")
    words, size = sum(len(text.split()) for text in texts), sum(len(text.encode()) for text in texts)
    return {
        "nats_per_token": nats / scored,
        "nats_per_word": nats / words,
        "nats_per_byte": nats / size,
        "nats": nats,
        "documents": len(texts),
        "tokens": scored,
        "words": words,
        "bytes": size,
        "unknown_tokens": sum(int((tokens == tokenizer.unk_token_id).sum()) for tokens in ids),
    }


def cut_windows(ids: np.ndarray, begin: int | None, window: int) -> Iterator[Window]:
    """Cut a document's tokens into windows that score each token once.

    The first window holds the begin token and scores all that follows; each later one begins ⌊window / 2⌋ tokens
    after the one before and scores only what that one did not reach.

    Parameters
    ----------
    ids : the document's own tokens (token,).
    begin : id of the begin token, or None.
    window : tokens in a window, at least 2.
    """
    sequence = ids if begin is None else np.concatenate([[begin], ids])
    start, reached = 0, 1
    while reached < len(sequence):
        part = sequence[start : start + window]
        yield Window(part, reached - start)
        reached = start + len(part)
        start += window // 2


def log_probabilities(model: Any, windows: Sequence[Window], budget: int = TOKEN_BUDGET) -> list[np.ndarray]:
    """Return log p(token | tokens before it in the window), in nats, of each window's scored tokens (token,)."""
    import torch

    result: list[np.ndarray] = [np.empty(0)] * len(windows)
    for batch in batches_by_length([len(window.ids) for window in windows], budget):
        arrays = fill_right([windows[index].ids for index in batch])
        ids, mask = (torch.from_numpy(array).to(model.device) for array in arrays)  # (text, position)
        with torch.inference_mode():
            logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1].float()
            # (text, position - 1); the normaliser first, so that no second array of the vocabulary's size is made
            chosen = logits.gather(2, ids[:, 1:, None])[..., 0] - logits.logsumexp(2)
        values = chosen.double().cpu().numpy()
        for row, index in enumerate(batch):
            window = windows[index]
            result[index] = values[row, window.first - 1 : len(window.ids) - 1]
    return result
