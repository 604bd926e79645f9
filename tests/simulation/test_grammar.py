import re

import pytest

from brainalign.errors import InputError
from brainalign.simulation.grammar import (
    vocabulary,
    write_passages,
    write_questions,
    write_stories,
    write_text,
)

WORD = re.compile(r"[a-z]+|[.,:?]")


@pytest.fixture(scope="module")
def documents(world):
    return write_text(world, seed=1, documents=3000)


@pytest.fixture(scope="module")
def answers(world):
    """The answers by question; a question asked twice must have one answer."""
    found: dict[str, str] = {}
    for question, answer in write_questions(world, seed=2, questions=3000):
        assert found.setdefault(question, answer) == answer
    return found


def test_texts_are_functions_of_the_seed(world):
    assert write_passages(world, 1, 5, 4) == write_passages(world, 1, 5, 4)
    assert write_stories(world, 1, 2, 50) == write_stories(world, 1, 2, 50)
    assert write_text(world, 1, 20) == write_text(world, 1, 20)
    assert write_questions(world, 1, 20) == write_questions(world, 1, 20)
    assert write_passages(world, 1, 5, 4) != write_passages(world, 2, 5, 4)
    assert write_text(world, 1, 20) != write_text(world, 2, 20)


def test_longer_lists_begin_with_the_shorter_ones(world):
    assert write_passages(world, 1, 30, 4)[:10] == write_passages(world, 1, 10, 4)
    assert write_stories(world, 1, 6, 80)[:2] == write_stories(world, 1, 2, 80)


def test_lengths_are_the_ones_asked_for(world):
    assert {len(passage.sentences) for passage in write_passages(world, 0, 20, 7)} == {7}
    stories = write_stories(world, 0, 10, 123)
    assert {len(story.words) for story in stories} == {123}
    for story in stories:
        whole = " ".join(sentence.text for sentence in story.sentences)
        assert whole.startswith(story.text)
        assert len(whole.split()) - len(story.sentences[-1].words) < 123


def test_splitting_at_spaces_gives_words_of_a_small_vocabulary(world, documents, answers):
    words = set(vocabulary(world))
    assert len(words) <= 400
    for text in [*documents, *answers, *answers.values()]:
        tokens = text.split(" ")
        assert all(WORD.fullmatch(token) for token in tokens), text
        assert words.issuperset(tokens), text


def test_the_vocabulary_holds_no_word_that_is_never_written(world, documents, answers):
    written = {word for text in [*documents, *answers, *answers.values()] for word in text.split()}
    assert set(vocabulary(world)) <= written


def test_texts_and_answers_tell_the_same_facts(world, documents, answers):
    """Read the plain words only: each noun's colour and home in the texts is the answer to the question about it."""
    colours: dict[str, set[str]] = {}
    homes: dict[str, set[str]] = {}
    introduction = re.compile(
        r"a (?:tiny |small |large |huge )?(?:(\w+) (\w+)|(\w+) in a (\w+) coat) (?:lives|is kept) (\w+ the \w+) \."
    )
    for colour, noun, person, coat, home in introduction.findall(" ".join(documents)):
        colours.setdefault(noun or person, set()).add(colour or coat)
        homes.setdefault(noun or person, set()).add(home)
    assert set(colours) == {entity.name for entity in world.entities}
    compared = 0
    for noun in colours:
        for question, told in (
            (f"question : what colour is the {noun} ? answer :", colours),
            (f"question : what colour is the coat of the {noun} ? answer :", colours),
            (f"question : where does the {noun} live ? answer :", homes),
            (f"question : where is the {noun} kept ? answer :", homes),
        ):
            if question in answers:
                assert {answers[question].removesuffix(" .")} == told[noun]
                compared += 1
    assert compared == 2 * len(world.entities)


def test_comparisons_agree_between_texts_questions_and_attributes(world, documents, answers):
    sizes = {entity.name: entity.size for entity in world.entities}
    told = re.findall(r"the (\w+) is (larger|smaller) than the (\w+) \.", " ".join(documents))
    named = [(one, word, other) for one, word, other in told if one in sizes]
    assert len(named) > 50
    assert all((sizes[one] > sizes[other]) == (word == "larger") for one, word, other in named)
    asked = re.compile(r"question : which is larger , the (\w+) or the (\w+) \? answer :")
    pairs = [(match.groups(), answer) for question, answer in answers.items() if (match := asked.match(question))]
    assert len(pairs) > 50
    assert all(answer == f"the {max(pair, key=sizes.__getitem__)} ." for pair, answer in pairs)


def test_a_pronoun_stands_for_the_subject_of_the_sentence_before(world):
    pronouns = 0
    for passage in write_passages(world, 3, 500, 4):
        previous = None
        for sentence in passage.sentences:
            word, referent = sentence.words[sentence.referent_word], sentence.content.referent
            if word in ("it", "she", "he"):
                pronouns += 1
                assert referent == previous
                assert word == referent.pronoun
            else:
                assert word in (referent.name, referent.kind_noun)
            previous = referent
    assert pronouns > 300


def test_a_common_noun_fits_one_of_the_introduced_entities_only(world):
    for passage in write_passages(world, 3, 500, 4):
        introduced: set = set()
        for sentence in passage.sentences:
            content = sentence.content
            if sentence.words[sentence.referent_word] == content.referent.kind_noun:
                assert [other for other in introduced if other.kind_noun == content.referent.kind_noun] == [
                    content.referent
                ]
            introduced |= {content.referent, content.partner} - {None}


def test_marked_words_are_those_that_name_the_content(world):
    for passage in write_passages(world, 4, 300, 4):
        for sentence in passage.sentences:
            if sentence.place_word != sentence.referent_word:
                assert sentence.words[sentence.place_word] == sentence.content.place.name
            if sentence.content.action.energy:
                assert sentence.words[sentence.action_word] == sentence.content.action.verb


def test_training_text_and_brain_data_share_almost_no_passage_even_with_one_seed(world):
    passages = {passage.text for passage in write_passages(world, 1, 1000, 4)}
    training = set(write_text(world, 1, 3000))
    assert len(passages) > 990
    assert len(passages & training) <= 5


def test_a_count_below_one_is_refused(world):
    for write in (write_text, write_questions):
        with pytest.raises(InputError, match="= 0; allowed is 1 or more"):
            write(world, 0, 0)
    with pytest.raises(InputError, match="words = 0"):
        write_stories(world, 0, 1, 0)
