"""Where models run and products are computed."""

import logging

log = logging.getLogger(__name__)


def best_device() -> str:
    """Return "cuda" where torch finds an NVIDIA card, otherwise "cpu"."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def device_of(gpus: int) -> str:
    """Return where a job that was given so many cards multiplies, and log it where it was given one."""
    if not gpus:
        return "cpu"
    device = best_device()
    if device == "cpu":
        log.warning("the job was given a graphics card, but torch finds none; the processor multiplies")
    else:
        log.info("folds that are fitted at once are multiplied on the graphics card")
    return device
