from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch

from brainalign.models.settings import Training
from brainalign.models.training import train


@dataclass(frozen=True)
class Small:
    """A text, questions about it, and the sizes of a model that learns it in a moment."""

    documents: tuple[str, ...] = (
        "the fox sees the owl .",
        "the owl sleeps .",
        "the fox sleeps in the tree .",
        "an owl sees a fox .",
    )
    questions: tuple[tuple[str, str], ...] = (("who sleeps ?", "the owl"), ("who sees ?", "the fox"))
    sizes: dict[str, Any] = field(
        default_factory=lambda: {
            "architecture": "llama",
            "steps": 30,
            "width": 16,
            "layers": 2,
            "heads": 2,
            "context": 24,
            "batch": 4,
            "learning_rate": 1e-2,
            "seed": 3,
        }
    )

    @property
    def words(self) -> list[str]:
        return [text for pair in self.questions for text in pair]

    def settings(self, **changes: Any) -> Training:
        return Training.from_mapping({**self.sizes, **changes})


@pytest.fixture(scope="session")
def small() -> Small:
    return Small()


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def trained(small: Small, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A llama of two blocks after a few updates."""
    out = tmp_path_factory.mktemp("trained")
    train(small.documents, small.settings(), out, further_texts=small.words)
    return out
