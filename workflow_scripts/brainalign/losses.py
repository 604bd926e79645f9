"""How well a model predicts the next word of a text.

The unit is the nat, the natural logarithm's: −log p. Per token, the loss compares only models with one tokenizer; per
word and per byte it is the same sum over the same text whatever the tokens are, so that families compare.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from brainalign.errors import InputError
from brainalign.models.batching import TOKEN_BUDGET, batches_by_length, fill_right
from brainalign.models.limits import context_limit
from brainalign.models.tokenisation import tokenise

NEXT_WORD = "next word"
_LATER_TOKEN_MATTERS = 1e-3  # of a logit's size: far above rounding in half precision, far below any attention


@dataclass(frozen=True)
class Window:
    """What the model reads at once, and from where on its tokens are scored: ids (position,), first position ≥ 1."""

    ids: np.ndarray
    first: int


def next_word_loss(
    model: Any,
    tokenizer: Any,
    documents: Sequence[str],
    window: int,
    budget: int = TOKEN_BUDGET,
    stride: int | None = None,
) -> dict[str, float | int | str]:
    """Return the mean negative log-likelihood of a text, −Σ log p(token_t | tokens before t) / N.

    A document's first token is predicted from the tokenizer's begin token or, where it has none, from its end token, as
    lm-evaluation-harness does. Without either it is not scored, and its characters count to no word and no byte. A
    document longer than the window is read in windows that overlap, each token scored once, where it sees most. No
    window reaches over the end of a document. Log-probabilities are taken in float32 at least and summed in float64.

    Parameters
    ----------
    model : with its next-word head; tokenizer : its own.
    documents : texts; a word is what stands between white space.
    window : tokens that the model reads at once, at most its limit.
    budget : tokens of one batch.
    stride : tokens from one window's begin to the next one's, below the window; by default ⌊window / 2⌋. Beyond the
        first window, a token sees between window − stride and window − 1 others; with 1, all that the window allows.

    Returns
    -------
    nats_per_token, nats_per_word, nats_per_byte (of UTF-8), nats (the sum), the counts documents, tokens (those
    scored), words, bytes, unknown_tokens, and objective, window, stride, begin: "begin token", "end token" or "none",
    what the first token is predicted from.

    Raises
    ------
    InputError : nothing to score, a window below 2 or above the model's limit, a stride that is not below the window,
        a model that sees later tokens, a loss that is not finite.
    """
    stride = window // 2 if stride is None else stride
    _check_sizes(model, window, stride)
    texts = [text for text in documents if text.strip()]
    tokenised = tokenise(tokenizer, texts)
    begin, called = _begin_token(tokenizer)
    windows = [part for tokens in tokenised for part in cut_windows(tokens.ids, begin, window, stride)]
    scored = sum(len(part.ids) - part.first for part in windows)
    if not scored:
        raise InputError("there is no text to compute a loss on.")
    _check_causal(model, max(windows, key=lambda part: len(part.ids)).ids[:8])
    nats = float(sum(-part.sum() for part in log_probabilities(model, windows, budget)))
    unscored = [0 if begin is not None else int(tokens.ends[:1].sum()) for tokens in tokenised]  # characters
    words, size = _words_and_bytes(texts, unscored)
    return mean_losses(nats, scored, max(words, 1), max(size, 1)) | {
        "documents": len(texts),
        "unknown_tokens": sum(int((tokens.ids == tokenizer.unk_token_id).sum()) for tokens in tokenised),
        "objective": NEXT_WORD,
        "window": window,
        "stride": stride,
        "begin": called,
    }


def mean_losses(nats: float, tokens: int, words: int, size: int, of: str = "") -> dict[str, float | int | str]:
    """Return a summed loss over its tokens, words and bytes, with the sum and the counts.

    The names of the means begin with `of`, so that losses which do not compare have no name in common.

    Raises
    ------
    InputError : a sum that is not finite.
    """
    if not np.isfinite(nats):
        raise InputError("the loss is not finite; a wider dtype (float32 or bfloat16) may help.")
    return {
        f"{of}nats_per_token": nats / tokens,
        f"{of}nats_per_word": nats / words,
        f"{of}nats_per_byte": nats / size,
        "nats": nats,
        "tokens": tokens,
        "words": words,
        "bytes": size,
    }


def cut_windows(ids: np.ndarray, begin: int | None, window: int, stride: int | None = None) -> Iterator[Window]:
    """Cut a document's tokens into windows that score each token once.

    The first window holds the begin token and scores all that follows; each later one begins `stride` tokens after the
    one before and scores only what that one did not reach.

    Parameters
    ----------
    ids : the document's own tokens (token,).
    begin : id of the begin token, or None.
    window : tokens in a window, at least 2.
    stride : 1 to window − 1; by default ⌊window / 2⌋.
    """
    stride = window // 2 if stride is None else stride
    sequence = ids if begin is None else np.concatenate([[begin], ids])
    start, reached = 0, 1
    while reached < len(sequence):
        part = sequence[start : start + window]
        yield Window(part, reached - start)
        reached = start + len(part)
        start += stride


def log_probabilities(model: Any, windows: Sequence[Window], budget: int = TOKEN_BUDGET) -> list[np.ndarray]:
    """Return log p(token | tokens before it in the window), in nats, of each window's scored tokens (token,)."""
    import torch

    result: list[np.ndarray] = [np.empty(0)] * len(windows)
    for batch in batches_by_length([len(window.ids) for window in windows], budget):
        arrays = fill_right([windows[index].ids for index in batch])
        ids, mask = (torch.from_numpy(array).to(model.device) for array in arrays)  # (text, position)
        with torch.inference_mode():
            logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1]
            chosen = log_probability_of(logits, ids[:, 1:])  # (text, position - 1)
        values = chosen.double().cpu().numpy()
        for row, index in enumerate(batch):
            window = windows[index]
            result[index] = values[row, window.first - 1 : len(window.ids) - 1]
    return result


def log_probability_of(logits: Any, ids: Any) -> Any:
    """Return log softmax(logits)[id] in nats (text, position).

    Parameters
    ----------
    logits : (text, position, vocabulary); ids : (text, position); tensors of torch.
    """
    logits = logits.float()
    # The normaliser first, so that no second array of the vocabulary's size is made.
    return logits.gather(2, ids[..., None])[..., 0] - logits.logsumexp(2)


def _begin_token(tokenizer: Any) -> tuple[int | None, str]:
    """Return the id that a document's first token is predicted from, if there is one, and how it is called."""
    if tokenizer.bos_token_id is not None:
        return int(tokenizer.bos_token_id), "begin token"
    if tokenizer.eos_token_id is not None:
        return int(tokenizer.eos_token_id), "end token"
    return None, "none"


def _words_and_bytes(texts: Sequence[str], first: Sequence[int]) -> tuple[int, int]:
    """Return how many words begin at, and how many bytes are of, the characters from the first one on of each text."""
    words = sum(len(text.split()) - len(text[:start].split()) for text, start in zip(texts, first, strict=True))
    return words, sum(len(text[start:].encode()) for text, start in zip(texts, first, strict=True))


def _check_sizes(model: Any, window: int, stride: int) -> None:
    limit = context_limit(model)
    if window < 2 or (limit is not None and window > limit):
        raise InputError(f"the window must be 2 to {limit or 'any number of'} tokens, but is {window}.")
    if not 1 <= stride < window:
        raise InputError(f"the stride must be 1 to {window - 1} tokens, below the window, but is {stride}.")


def _check_causal(model: Any, ids: np.ndarray) -> None:
    """Raise InputError where the last token changes what is predicted before it, as in masked language models."""
    import torch

    if len(ids) < 2:
        return
    vocabulary = int(model.config.get_text_config().vocab_size)
    two = np.stack([ids, [*ids[:-1], (int(ids[-1]) + 1) % vocabulary]])
    with torch.inference_mode():
        # One by one, since what stands beside a text in its batch may change the last digits.
        logits = [
            model(input_ids=torch.from_numpy(row[None]).to(model.device), use_cache=False).logits[0, :-1].float()
            for row in two
        ]
    if float((logits[0] - logits[1]).abs().max()) > _LATER_TOKEN_MATTERS * float(logits[0].abs().max()):
        raise InputError(
            f"the model ({type(model).__name__}) sees the words that it is to predict, as masked language models do; "
            "it has no next-word loss."
        )
