"""A model, loaded where it fits."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brainalign.activations.blocks import find_blocks
from brainalign.activations.streaming import load_for_streaming
from brainalign.devices import best_device
from brainalign.models.loading import DataType, load
from brainalign.models.manifest import Manifest
from brainalign.models.placement import Placement, choose_placement, free_memory, sizes, skeleton

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """Where a model's weights lie, and on which device it is computed."""

    placement: Placement
    device: str


def find_place(
    manifest: Manifest, dtype: DataType, asked: str, tokens: int, begun: Mapping[str, Any], key: Mapping[str, Any]
) -> Place:
    """Choose where a model fits, without loading it, and say so in the log.

    Parameters
    ----------
    manifest : with an absolute folder. dtype : number format of weights and computation.
    asked : "auto", "resident", "sharded" or "streamed". tokens : of one batch.
    begun, key : of work that was begun and of this one, without its place; "auto" goes on streaming what was streamed,
        even if by now there were room for all of it.

    Raises
    ------
    InputError : as `placement.choose_placement`, or a model whose blocks cannot be found.
    """
    device = best_device()
    same = all(begun.get(name) == value for name, value in key.items())
    if asked == "auto" and same and begun.get("placement") == "streamed":
        _logger.info("streamed on %s, as the work that was begun", device)
        return Place("streamed", device)
    bare = skeleton(manifest)
    blocks = [block for stack in find_blocks(bare).stacks for block in stack.blocks]
    chosen, reason = choose_placement(asked, sizes(bare, blocks, dtype), tokens, *free_memory())
    _logger.info("%s on %s", reason, device)
    return Place(chosen, device)


def load_at(place: Place, manifest: Manifest, dtype: DataType, scratch: Path) -> tuple[Any, Any]:
    """Return a model and its tokenizer, as `extraction.extract` takes them. Raises InputError as `loading.load`.

    scratch : folder for weights of a streamed model that are not stored as the model uses them.
    """
    if place.placement == "streamed":
        return load_for_streaming(manifest, dtype, place.device, scratch / "weights")
    if place.placement == "sharded":
        return load(manifest, dtype, device_map="auto")
    return load(manifest, dtype, place.device)
