"""Small language models made here: trained from scratch on running text, or tuned on questions and answers.

Both minimise the mean negative log-likelihood of the next token, −1/N Σ log p(token_t | tokens before t), in nats.
Equal inputs give equal weights, byte for byte, on one machine with one number of threads.
"""

import logging
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from brainalign.errors import InputError
from brainalign.models.architectures import make_config, make_model, make_tokenizer, save
from brainalign.models.loading import folder_of, load
from brainalign.models.manifest import Manifest
from brainalign.models.packing import IGNORED, pack, pad
from brainalign.models.settings import Optimisation, Training, Tuning

_CLIP = 1.0  # largest norm of a gradient
_LINES = 10  # of progress per training
_logger = logging.getLogger(__name__)


def train(documents: Sequence[str], settings: Training, out: Path, further_texts: Iterable[str] = ()) -> None:
    """Train a model from scratch to predict the next word, and write it with its tokenizer.

    Parameters
    ----------
    documents : running text, words separated by white space.
    settings : sizes and optimisation; the same settings with 0 steps give the untrained twin.
    out : folder for config, weights (safetensors, float32) and tokenizer.
    further_texts : texts whose words the vocabulary holds too (the questions of a later tuning).

    Raises
    ------
    InputError : no documents, or sizes that do not fit together.
    """
    if not any(document.split() for document in documents):
        raise InputError("there is no text to train on.")
    tokenizer = make_tokenizer([*documents, *further_texts])
    config = make_config(vars(settings), len(tokenizer))
    model = make_model(config, settings.seed)
    end = tokenizer.eos_token_id
    sequences = [[*ids, end] for ids in tokenizer(list(documents)).input_ids]
    _optimise(model, _packed_batches(sequences, settings), settings)
    save(model, tokenizer, out)


def tune(base: Manifest | Path, pairs: Sequence[tuple[str, str]], settings: Tuning, out: Path) -> None:
    """Tune a model to answer questions, and write it with its tokenizer.

    A sequence is <s> question answer </s>; the loss counts the answer's tokens and </s> only.

    Parameters
    ----------
    base : manifest or folder of the model to start from.
    pairs : questions and their answers.
    settings : the optimisation.
    out : folder for config, weights (safetensors, float32) and tokenizer.

    Raises
    ------
    InputError : no pairs, an empty answer, or a pair longer than the model's context.
    """
    model, tokenizer = load(base, head=True)
    if tokenizer.eos_token_id is None:
        raise InputError(f"the tokenizer in {folder_of(base)} has no token that ends a text, so an answer cannot end.")
    sequences, answers = _answered(pairs, tokenizer, getattr(model.config, "max_position_embeddings", None))
    _optimise(model, _answer_batches(sequences, answers, settings), settings)
    save(model, tokenizer, out)


def _packed_batches(sequences: list[list[int]], settings: Training) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield inputs and targets (sequence × position), without end; texts come in a new order each time round."""
    random = np.random.default_rng(settings.seed)
    rows: list[list[int]] = []
    while True:
        while len(rows) < settings.batch:
            order = random.permutation(len(sequences))
            rows += pack([sequences[index] for index in order], settings.context + 1)
        inputs, targets = pad([(row, 1) for row in rows[: settings.batch]])
        rows = rows[settings.batch :]
        yield inputs, targets


def _answer_batches(
    sequences: list[list[int]], answers: list[int], settings: Tuning
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield inputs and targets (sequence × position), without end; `answers` are positions where answers begin."""
    random = np.random.default_rng(settings.seed)
    order: list[int] = []
    while True:
        while len(order) < settings.batch:
            order += random.permutation(len(sequences)).tolist()
        yield pad([(sequences[index], answers[index]) for index in order[: settings.batch]])
        order = order[settings.batch :]


def _answered(pairs: Sequence[tuple[str, str]], tokenizer: Any, limit: int | None) -> tuple[list[list[int]], list[int]]:
    """Return each pair's token ids and the position of its answer's first token."""
    if not pairs:
        raise InputError("there are no questions and answers to tune on.")
    sequences: list[list[int]] = []
    answers: list[int] = []
    for question, answer in pairs:
        if not question.strip() or not answer.strip():
            raise InputError(f"a question or its answer is empty: {question!r}, {answer!r}.")
        encoded = tokenizer(f"{question} {answer}", return_offsets_mapping=True, return_special_tokens_mask=True)
        own = [not special for special in encoded.special_tokens_mask]
        ends = [stop if mine else 0 for (_, stop), mine in zip(encoded.offset_mapping, own, strict=True)]
        ids = [*encoded.input_ids, tokenizer.eos_token_id]
        if limit and len(ids) > limit:
            raise InputError(
                f"the question {question!r} with its answer has {len(ids)} tokens, the model sees {limit}."
            )
        sequences.append(ids)
        answers.append(next(position for position, stop in enumerate(ends) if stop > len(question)))
    return sequences, answers


def _optimise(model: Any, batches: Iterator[tuple[np.ndarray, np.ndarray]], settings: Optimisation) -> None:
    """Take AdamW steps in place: betas .9 and .98, weight decay .01, gradients clipped to norm 1."""
    import torch

    optimiser = torch.optim.AdamW(
        model.parameters(), lr=settings.learning_rate, betas=(0.9, 0.98), weight_decay=0.01, foreach=True
    )
    model.train()
    with _deterministic(settings.seed):
        for step in range(settings.steps):
            inputs, targets = (torch.from_numpy(array) for array in next(batches))  # (batch, position)
            for group in optimiser.param_groups:
                group["lr"] = learning_rate(step, settings)
            logits = model(input_ids=inputs, use_cache=False).logits  # (batch, position, vocabulary)
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), _CLIP)
            optimiser.step()
            if (step + 1) % max(1, settings.steps // _LINES) == 0 or step + 1 == settings.steps:
                _logger.info("step %d of %d, loss %.3f nats", step + 1, settings.steps, loss.item())
    model.eval()


def learning_rate(step: int, settings: Optimisation) -> float:
    """Return the learning rate of one step.

    With w = max(1, steps / 20): rate · (step + 1) / w in the first w steps, then
    rate · (.1 + .9 · (1 + cos(π (step − w) / (steps − w))) / 2).
    """
    warmup = max(1, settings.steps // 20)
    if step < warmup:
        return settings.learning_rate * (step + 1) / warmup
    done = (step - warmup) / max(1, settings.steps - warmup)
    return settings.learning_rate * (0.1 + 0.45 * (1 + math.cos(math.pi * done)))


@contextmanager
def _deterministic(seed: int) -> Iterator[None]:
    """Run a block with seeded, deterministic torch operations, and leave torch as it was."""
    import torch

    before = torch.are_deterministic_algorithms_enabled()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        torch.use_deterministic_algorithms(True)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(before)
