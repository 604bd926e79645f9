"""The slow, obvious twin of `extraction`: one forward pass for every part, nothing shared, nothing filled up."""

import re
from typing import Any

import numpy as np
import pandas as pd

from brainalign.activations.blocks import find_blocks, input_device, reading
from brainalign.activations.parts import check_stimuli
from brainalign.activations.prompts import prompt_of
from brainalign.activations.random_tokens import drawable_and_kept, key_of
from brainalign.activations.readout import Readout
from brainalign.activations.store import check_finite
from brainalign.models.limits import context_limit
from brainalign.models.tokenisation import tokenise


def extract_one_by_one(model: Any, tokenizer: Any, stimuli: pd.DataFrame, readout: Readout) -> dict[str, np.ndarray]:
    """Return the states of every part by layer, each (stimulus × width) float32, as `extract` does."""
    import torch

    check_stimuli(stimuli)
    blocks = find_blocks(model)
    limit = min((given for given in (readout.limit, context_limit(model)) if given is not None), default=None)
    prompt = prompt_of(readout, tokenizer)
    groups = range(len(stimuli)) if readout.context == "none" else stimuli["context_group"].tolist()
    states: dict[str, Any] = {}
    result: dict[str, np.ndarray] = {}
    for group in dict.fromkeys(groups):
        start = before = 0
        earlier: list[str] = []
        for row in (row for row, other in enumerate(groups) if other == group):
            text, begin = _context_and_part(earlier, stimuli["text"].iloc[row], readout)
            earlier.append(stimuli["text"].iloc[row])
            (tokens,) = tokenise(tokenizer, [text], prompt)
            text_ids = tokens.ids.tolist()
            if readout.tokens == "random":
                name = stimuli["stimulus_id"].iloc[row] if readout.context == "none" else group
                skipped = len(" ".join(earlier[:-1])) - len(_context(earlier[:-1], readout))
                text_ids = _random_ids(tokenizer, readout.seed, name, skipped, text_ids, tokens.ends.tolist())
            beside = max(tokens.added, 1 + len(tokens.before)) if blocks.is_encoder_decoder else tokens.added
            room = tokens.count if limit is None else limit - beside
            if readout.context == "window" and readout.unit == "words":
                start = before = 0
            if readout.overflow == "slide" or readout.unit == "tokens":
                start = max(0, tokens.count - room)
            elif tokens.count - start > room:
                start = max(before - room // 2, tokens.count - room, 0)
            before = tokens.count
            own = [place for place, end in enumerate(tokens.ends) if end > begin]
            first = start
            if readout.window is not None and readout.unit == "tokens":
                first = max(start, own[0] - readout.window)
            own = [place for place in own if place >= first]
            ids = [*tokens.before, *text_ids[first:], *tokens.after]
            places = [len(tokens.before) + place - first for place in own]
            if readout.special_tokens == "part":
                places += range(len(ids) - len(tokens.after), len(ids))
                if own[0] == first and not prompt.text:
                    places = [*range(len(tokens.before)), *places]
            inputs = {"input_ids": ids}
            decoder_places: list[int] = []
            if blocks.is_encoder_decoder:
                begins = blocks.base.config.decoder_start_token_id
                follows = ids[: len(ids) - len(tokens.after)] if readout.decoder_input == "text" else []
                inputs["decoder_input_ids"] = [begins, *follows]
                decoder_places = [1 + len(tokens.before) + place - first for place in own] if follows else [0]
            tensors = {name: torch.tensor([value]).to(input_device(blocks)) for name, value in inputs.items()}
            with torch.inference_mode(), reading(blocks, states.__setitem__):
                blocks.base(**tensors, use_cache=False)
            for layer in blocks.layers:
                rows = states[layer][0].float().cpu().numpy()  # (position, width)
                vector = _pool(rows[decoder_places if layer.startswith("decoder_") else places], readout.pooling)
                check_finite(vector[None], layer, stimuli["stimulus_id"].to_numpy(object)[[row]])
                result.setdefault(layer, np.empty((len(stimuli), len(vector)), np.float32))[row] = vector
    return result


def _context_and_part(earlier: list[str], part: str, readout: Readout) -> tuple[str, int]:
    """Return the text that the model reads, and how many of its characters come before the part."""
    context = _context(earlier, readout)
    text = f"{context} {part}" if context else part
    if readout.join == "spaces":
        return text, len(context)
    removed = [place for match in re.finditer(r"\s+(?=[,.!?;:])", text) for place in range(*match.span())]
    kept = [place for place in range(len(text)) if place not in removed]
    return "".join(text[place] for place in kept), sum(place < len(context) for place in kept)


def _context(earlier: list[str], readout: Readout) -> str:
    """Return what of the earlier parts the model reads."""
    if readout.context == "none":
        return ""
    context = " ".join(earlier)
    if readout.window is None or readout.unit == "tokens":
        return context
    words = [match.start() for match in re.finditer(r"\S+", context)]
    return context[words[-readout.window] :] if len(words) >= readout.window else context


def _random_ids(tokenizer: Any, seed: int, group: object, skipped: int, ids: list[int], ends: list[int]) -> list[int]:
    """Return random ids for a text's own tokens, as `random_tokens` draws them, one after the other."""
    drawable, kept = drawable_and_kept(tokenizer)
    found: list[int] = []
    for place, end in enumerate(ends):
        mixed = _splitmix(_splitmix(key_of(seed, group) ^ _splitmix(skipped + end)) ^ ends[:place].count(end))
        found.append(ids[place] if ids[place] in kept else int(drawable[mixed % len(drawable)]))
    return found


def _splitmix(number: int) -> int:
    """Return the output of SplitMix64 for a state, in whole numbers of any size."""
    whole = (1 << 64) - 1
    number = (number + 0x9E3779B97F4A7C15) & whole
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & whole
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & whole
    return number ^ (number >> 31)


def _pool(states: np.ndarray, pooling: str) -> np.ndarray:
    """Pool states (token × width) to (width,)."""
    pools = {
        "last": lambda: states[-1],
        "first": lambda: states[0],
        "mean": lambda: states.mean(axis=0),
        "sum": lambda: states.sum(axis=0),
        "max": lambda: states.max(axis=0),
    }
    return np.asarray(pools[pooling]())
