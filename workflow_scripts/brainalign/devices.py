"""Where models run and products are computed."""


def best_device() -> str:
    """Return "cuda" where torch finds an NVIDIA card, otherwise "cpu"."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
