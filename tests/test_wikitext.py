"""WikiText files cut into articles, character for character, and put together again."""

from pathlib import Path

import pytest

from brainalign.errors import InputError
from brainalign.sources.folder import source_file
from brainalign.sources.wikitext import fetch
from brainalign.storage import file_digest, write_json
from brainalign.texts import read_documents, write_documents
from brainalign.wikitext import articles, detokenise

FILE = (
    ' \n = One ( band ) = \n \n It cost 1 @,@ 500 " francs " . \n \n = = Notes = = \n \n = not a title = here = \n'
    " x = y \n \n = Two = \n \n A well @-@ known N one , he said . \n"
)


def test_articles_are_the_file_from_the_first_title_on() -> None:
    found = articles(FILE)
    assert [text.split("\n")[0] for text in found] == [" = One ( band ) = ", " = Two = "]
    assert " \n" + "".join(found) == FILE


def test_titles_without_white_space_at_the_ends_of_lines() -> None:
    """As some copies have it."""
    stripped = "\n".join(line.strip() for line in FILE.split("\n"))
    assert [text.split("\n")[0] for text in articles(stripped)] == ["= One ( band ) =", "= Two ="]


def test_a_line_between_equals_signs_inside_a_paragraph_is_no_title() -> None:
    assert len(articles(" = One = \n \n a \n = b = \n c \n")) == 1


@pytest.mark.parametrize(
    ("split", "whole"),
    [
        ("1 @,@ 500 metres , 3 @.@ 5 ft", "1,500 metres, 3.5 ft"),
        ("a well @-@ known ( band ) [ sic ]", "a well-known (band) [sic]"),
        ('he said " yes " ; then : no', 'he said "yes"; then: no'),
        (" = = Part = = \n", " == Part ==\n"),
        ("the band 's last", "the band's last"),
    ],
)
def test_words_are_put_together_again(split: str, whole: str) -> None:
    assert detokenise(split) == whole


@pytest.mark.parametrize("detokenised", [False, True])
def test_a_source_keeps_the_articles_as_they_are_unless_asked(tmp_path: Path, detokenised: bool) -> None:
    given, folder = tmp_path / "wiki.test.tokens", tmp_path / "source"
    given.write_text(FILE)
    folder.mkdir()
    entries = fetch({"sha256": file_digest(given), "detokenise": detokenised}, [given], folder)
    write_json(folder / "manifest.json", {"files": entries})
    documents = read_documents(source_file(folder / "manifest.json", "documents"))
    assert documents == [detokenise(text) if detokenised else text for text in articles(FILE)]
    assert source_file(folder / "manifest.json", "original").read_bytes() == given.read_bytes()


def test_another_text_is_refused(tmp_path: Path) -> None:
    given = tmp_path / "novel.txt"
    given.write_text("It was a dark night.")
    with pytest.raises(InputError, match=r"novel.txt holds no WikiText"):
        fetch({"sha256": file_digest(given), "detokenise": False}, [given], tmp_path / "out")


def test_documents_as_json_lines_keep_their_blank_lines(tmp_path: Path) -> None:
    documents = [" a\n\n b \n", "é \u2028 \u0085 x"]
    write_documents(tmp_path / "d.jsonl", documents)
    assert read_documents(tmp_path / "d.jsonl") == documents
    (tmp_path / "d.jsonl").write_text('{"txt": "a"}\n')
    with pytest.raises(InputError, match="line 1 is not a document"):
        read_documents(tmp_path / "d.jsonl")
    (tmp_path / "d.jsonl").write_text("\n")
    with pytest.raises(InputError, match="holds no text"):
        read_documents(tmp_path / "d.jsonl")
