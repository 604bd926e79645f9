"""What tests of figures share: one invented study, written once, and what is written on a figure."""

import pytest
from matplotlib.figure import Figure

from invented_study import WrittenStudy, invent


def texts(figure: Figure) -> str:
    """Everything that is written on a figure."""
    figure.draw_without_rendering()
    return "\n".join(text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text")))


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> WrittenStudy:
    return invent(tmp_path_factory.mktemp("study"), {"tiny": (4.0, 4.5, 5.0)}).finish()
