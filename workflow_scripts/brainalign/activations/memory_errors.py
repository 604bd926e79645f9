"""When the memory does not suffice."""

import gc

_SAID_BY_TORCH = ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed")


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error says that memory, of the host or of a device, did not suffice."""
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(said in str(error).lower() for said in _SAID_BY_TORCH)


def free_unused() -> None:
    """Give back what failed work held: cycles of Python, and what torch keeps of a device's memory."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def halved(budget: int, passes: int, longest: int) -> int:
    """Return half the budget of a batch that did not fit.

    Parameters
    ----------
    budget : tokens of one batch.
    passes, longest : of the batch that did not fit, and the tokens of its longest.

    Raises
    ------
    MemoryError : the batch was a single pass.
    """
    if passes == 1:
        raise MemoryError(
            f"a single pass of {longest} tokens does not fit; a readout with a lower `limit` takes shorter ones"
        )
    return max(1, min(budget, passes * longest) // 2)
