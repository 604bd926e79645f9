"""Texts as files: what is written is read, and what cannot be read is told."""

import pytest

from brainalign.errors import InputError, UnreadableFileError
from brainalign.sources.folder import entries_of
from brainalign.sources.words import words_of_source
from brainalign.storage import write_json
from brainalign.texts import read_documents, read_questions, write_documents, write_questions

ODD = ["é 漢字 🙂", "line\nbreak inside", "a \u2028 b \x85 c \x1c d", "# not a comment", '"quoted"']


def source(folder, **files: str):
    """A source with files of these roles; return its manifest."""
    for role, content in files.items():
        (folder / f"{role}.txt").write_text(content, encoding="utf-8")
    write_json(folder / "manifest.json", {"files": entries_of(folder, {role: f"{role}.txt" for role in files})})
    return folder / "manifest.json"


def test_documents_come_back(tmp_path):
    write_documents(tmp_path / "x.txt", ODD)
    assert read_documents(tmp_path / "x.txt") == ODD


def test_documents_are_cut_at_blank_lines_of_any_kind(tmp_path):
    (tmp_path / "x.txt").write_bytes(b"\xef\xbb\xbf\r\none\r\nstill one\r\n \t\r\n\r\ntwo\n\n\n\nthree")
    assert read_documents(tmp_path / "x.txt") == ["one\nstill one", "two", "three"]


@pytest.mark.parametrize("content", ["", "\n\n", " \n\t\n"])
def test_a_text_without_documents_is_refused(content, tmp_path):
    (tmp_path / "x.txt").write_text(content)
    with pytest.raises(InputError) as caught:
        read_documents(tmp_path / "x.txt")
    assert str(caught.value) == "x.txt holds no text."


@pytest.mark.parametrize("read", [read_documents, read_questions])
def test_a_text_of_another_encoding_is_refused(read, tmp_path):
    (tmp_path / "x.txt").write_bytes("caf\xe9".encode("latin-1"))
    with pytest.raises(InputError) as caught:
        read(tmp_path / "x.txt")
    assert str(caught.value) == "x.txt is not UTF-8 text (byte 3); save it as UTF-8."


def test_questions_come_back(tmp_path):
    pairs = list(zip(ODD, reversed(ODD), strict=True))
    write_questions(tmp_path / "x.jsonl", pairs)
    assert read_questions(tmp_path / "x.jsonl") == pairs


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("what?", "JSONDecodeError('Expecting value: line 1 column 1 (char 0)')"),
        ('{"question": "what?"}', "KeyError('answer')"),
        ("3", "TypeError(\"'int' object is not subscriptable\")"),
    ],
)
def test_a_line_that_is_no_question_is_named(line, why, tmp_path):
    (tmp_path / "x.jsonl").write_text('{"question": "a", "answer": "b"}\n\n' + line + "\n")
    with pytest.raises(InputError) as caught:
        read_questions(tmp_path / "x.jsonl")
    assert str(caught.value) == f"x.jsonl: line 3 is not a question with an answer ({why})."


@pytest.mark.parametrize("held", ["null", '["a"]', "3", '{"a": 1}'])
def test_what_is_no_text_is_refused(held, tmp_path):
    (tmp_path / "d.jsonl").write_text('{"text": "a"}\n{"text": ' + held + "}\n")
    with pytest.raises(InputError, match=r"^d\.jsonl: line 2 is not a document \(text is .+, which is no text\)\.$"):
        read_documents(tmp_path / "d.jsonl")
    (tmp_path / "q.jsonl").write_text('{"question": "a", "answer": ' + held + "}\n")
    with pytest.raises(InputError, match=r"^q\.jsonl: line 1 is not a question with an answer \(answer is "):
        read_questions(tmp_path / "q.jsonl")


def test_no_questions_are_refused(tmp_path):
    write_questions(tmp_path / "x.jsonl", [])
    with pytest.raises(InputError) as caught:
        read_questions(tmp_path / "x.jsonl")
    assert str(caught.value) == "x.jsonl holds no questions."


def test_the_words_of_a_source_are_its_documents_or_its_questions_with_answers(tmp_path):
    assert words_of_source(source(tmp_path, documents="a b\n\nc")) == ["a b", "c"]
    questions = '{"question": "who ?", "answer": "me ."}\n'
    assert words_of_source(source(tmp_path, questions=questions)) == ["who ? me ."]


def test_a_source_with_neither_is_not_used(tmp_path):
    with pytest.raises(UnreadableFileError) as caught:
        words_of_source(source(tmp_path, stimuli="a"))
    assert caught.value.reason == "it has no 'documents', only stimuli"
