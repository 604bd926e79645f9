"""Passages, stories, documents, and questions with their answers, all about one world.

Everything is lower-case words and punctuation marks with single spaces between them, so that splitting at spaces is an
exact tokenizer. The kinds of text draw from separate random streams: the same seed gives a brain data set
and a training text that have nothing but the world in common.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from brainalign.simulation.catalogue import ANIMAL, ANIMATE, PERSON
from brainalign.simulation.narration import LEAST_DIFFERENCE, OPENERS, Narrator, Sentence
from brainalign.simulation.streams import pick, random_stream, require_at_least
from brainalign.simulation.world import COMPARATIVES, LEVELS, Entity, World, fact

ONE_REFERENT = 0.4  # the share of passages about a single entity; the others have two
STORY_CAST = 4
DOCUMENT_STORIES = 0.4  # the share of documents that are stories; the others are passages of 4 sentences
DOCUMENT_STORY_WORDS = (40, 160)

GRAMMAR_WORDS = tuple(
    "the a an to and in on at than . is lives kept wears coat it she he man woman "
    "from question : answer ? , what where which how or colour of does live there yes no".split()
)


@dataclass(frozen=True)
class Passage:
    """A few sentences about one or two entities."""

    passage_id: str
    sentences: tuple[Sentence, ...]

    @property
    def text(self) -> str:
        """The sentences with single spaces between them."""
        return " ".join(sentence.text for sentence in self.sentences)


@dataclass(frozen=True)
class Story:
    """A longer text about four entities, cut after `words` words: the last sentence may be incomplete."""

    story_id: str
    sentences: tuple[Sentence, ...]
    words: tuple[str, ...]

    @property
    def text(self) -> str:
        """The words with single spaces between them."""
        return " ".join(self.words)


def write_passages(world: World, seed: int, passages: int, sentences: int) -> list[Passage]:
    """Write passages of `sentences` sentences each.

    The first n passages of a longer list are the list of n. Raises InputError for a count below 1 or a bad seed.
    """
    require_at_least("passages", passages, 1)
    require_at_least("sentences", sentences, 1)
    stream = random_stream(seed, "passages")
    written = (tuple(_passage(world, stream, sentences)) for _ in range(passages))
    return [Passage(f"passage-{number:05d}", content) for number, content in enumerate(written, start=1)]


def write_stories(world: World, seed: int, stories: int, words: int) -> list[Story]:
    """Write stories of exactly `words` words each, punctuation marks counted.

    Sentences are added until the story has at least `words` words; then it is cut after that many, as a recording is
    that stops in mid-sentence. The first n stories of a longer list are the list of n.
    Raises InputError for a count below 1 or a bad seed.
    """
    require_at_least("stories", stories, 1)
    require_at_least("words", words, 1)
    stream = random_stream(seed, "stories")
    written = []
    for number in range(1, stories + 1):
        sentences = tuple(_story(world, stream, words))
        spoken = tuple(word for sentence in sentences for word in sentence.words)[:words]
        written.append(Story(f"story-{number:03d}", sentences, spoken))
    return written


def write_text(world: World, seed: int, documents: int) -> list[str]:
    """Write documents to train or to test a language model on: whole sentences, mixed like the data sets' texts.

    Each document is, with probability .6, a passage of 4 sentences and otherwise a story that ends with the sentence
    that takes it to a length drawn uniformly from 40 to 160 words. Raises InputError for a count below 1 or a bad seed.
    """
    require_at_least("documents", documents, 1)
    stream = random_stream(seed, "text")
    return [" ".join(sentence.text for sentence in _document(world, stream)) for _ in range(documents)]


def write_questions(world: World, seed: int, questions: int) -> list[tuple[str, str]]:
    """Write (question, answer) pairs about the facts of a world.

    Returns
    -------
    pairs such as ("question : what colour is the fox ? answer :", "red ."); a quarter of them compare two entities.

    Raises
    ------
    InputError : a count below 1 or a bad seed.
    """
    require_at_least("questions", questions, 1)
    stream = random_stream(seed, "questions")
    pairs = []
    for _ in range(questions):
        ask = pick(stream, (_ask_comparison, _ask_fact, _ask_fact, _ask_fact))
        question, answer = ask(world, stream)
        pairs.append((f"question : {question} ? answer :", f"{answer} ."))
    return pairs


def vocabulary(world: World) -> list[str]:
    """Return every word and punctuation mark that a text or question about the world can hold, sorted."""
    phrases = [*GRAMMAR_WORDS, *OPENERS]
    for entity in world.entities:
        phrases += [entity.name, entity.kind, entity.kind_noun, entity.colour.name]
    phrases += [word for words in (*LEVELS.values(), *COMPARATIVES.values()) for word in words]
    phrases += [place.phrase for place in world.places]
    phrases += [action.verb for action in (*world.deeds, *world.encounters)]
    return sorted({word for phrase in phrases for word in phrase.split()})


def _passage(world: World, stream: np.random.Generator, sentences: int) -> Iterator[Sentence]:
    size = 1 if stream.random() < ONE_REFERENT else 2
    narrator = Narrator(world, stream, _cast(stream, world.entities, size))
    for _ in range(sentences):
        yield narrator.next()


def _story(world: World, stream: np.random.Generator, words: int) -> Iterator[Sentence]:
    # a being among the cast keeps a story from being four tools that lie about
    hero = pick(stream, [entity for entity in world.entities if entity.kind in ANIMATE])
    others = [entity for entity in world.entities if entity is not hero]
    narrator = Narrator(world, stream, [hero, *_cast(stream, others, STORY_CAST - 1)])
    written = 0
    while written < words:
        sentence = narrator.next()
        written += len(sentence.words)
        yield sentence


def _document(world: World, stream: np.random.Generator) -> Iterator[Sentence]:
    if stream.random() < DOCUMENT_STORIES:
        return _story(world, stream, int(stream.integers(*DOCUMENT_STORY_WORDS, endpoint=True)))
    return _passage(world, stream, 4)


def _cast(stream: np.random.Generator, entities: tuple[Entity, ...] | list[Entity], size: int) -> list[Entity]:
    return [entities[index] for index in stream.choice(len(entities), size=size, replace=False)]


def _ask_fact(world: World, stream: np.random.Generator) -> tuple[str, str]:
    entity = pick(stream, world.entities)
    attribute = pick(stream, ("kind", "colour", "home", *entity.stated))
    answer = fact(entity, attribute)
    if attribute == "kind":
        return f"what is the {entity.name}", f"{'an' if entity.kind == ANIMAL else 'a'} {answer}"
    if attribute == "colour":
        return f"what colour is the {'coat of the ' if entity.kind == PERSON else ''}{entity.name}", answer
    if attribute == "home":
        lives = entity.kind in ANIMATE
        return f"where does the {entity.name} live" if lives else f"where is the {entity.name} kept", answer
    if attribute == "danger":
        verdict = "yes" if entity.danger >= 0.5 else "no"
        return f"is the {entity.name} dangerous", f"{verdict} , {entity.pronoun} is {answer}"
    return f"how {LEVELS[attribute][2]} is the {entity.name}", answer


def _ask_comparison(world: World, stream: np.random.Generator) -> tuple[str, str]:
    attribute = pick(stream, tuple(COMPARATIVES))
    comparable = [entity for entity in world.entities if attribute in entity.stated]
    first = pick(stream, comparable)
    value = getattr(first, attribute)
    second = pick(stream, [other for other in comparable if abs(getattr(other, attribute) - value) >= LEAST_DIFFERENCE])
    more = pick(stream, (False, True))
    answer = first if (value > getattr(second, attribute)) == more else second
    question = f"which is {COMPARATIVES[attribute][more]} , the {first.name} or the {second.name}"
    return question, f"the {answer.name}"
