"""One sentence after the other about a cast of entities, each with the latent content that it expresses.

A narrator keeps what a reader knows: who has been introduced, where everybody is, who the last sentence was about and
what has been said. Later sentences lean on it. The subject can be a pronoun ("it", "she", "he": always the subject of
the sentence before) or a common noun ("the animal": only while it fits one entity alone), and a place that is not named
is the one where the subject was last.
"""

from dataclasses import dataclass

import numpy as np

from brainalign.simulation.catalogue import BEING, PERSON, TOOL, Action, Place
from brainalign.simulation.streams import pick
from brainalign.simulation.world import COMPARATIVES, Entity, World, fact

OPENERS = ("then", "now", "today", "after that", "in the morning", "at night")

# probabilities of the narrator's choices
KEEPS_SUBJECT = 0.72
STATES_FACT, MEETS_SOMEBODY = 0.34, 0.33  # otherwise: a deed
USES_PRONOUN, USES_COMMON_NOUN = 0.55, 0.25  # otherwise: the name
NAMES_COLOUR, NAMES_PLACE, NAMES_ORIGIN, HAS_OPENER, COMPARES, STATES_TWO = 0.4, 0.55, 0.4, 0.3, 0.3, 0.4

NAMES_SIZE, OPENS_WITH_PLACE = 0.4, 0.35  # in an introduction

LEAST_DIFFERENCE = 0.08  # of a graded attribute, for two entities to be compared

Fact = tuple[str, str, str]  # the name of an entity, an attribute and what is said of it
Part = tuple[str, str]  # the role that the last of these words makes known ("" for none), and the words


@dataclass(frozen=True)
class Content:
    """What a sentence says, pronouns resolved: who does what, to whom, and where.

    `facts` holds the attributes that the sentence tells as news.
    """

    referent: Entity
    action: Action
    partner: Entity | None
    place: Place
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True)
class Sentence:
    """Words, their content, and the index of the word from which on a reader knows each part of it.

    A place that is not named is known with the referent.
    """

    words: tuple[str, ...]
    content: Content
    referent_word: int
    action_word: int
    place_word: int

    @property
    def text(self) -> str:
        """The words with single spaces between them; punctuation marks are words."""
        return " ".join(self.words)


class Narrator:
    """Writes sentences about a cast, in which no entity occurs twice.

    Parameters
    ----------
    world : the world that the cast lives in.
    stream : source of every random choice.
    cast : the entities to write about; the first sentence introduces the first of them.
    """

    def __init__(self, world: World, stream: np.random.Generator, cast: list[Entity]) -> None:
        self._world = world
        self._stream = stream
        self._cast = cast
        self._introduced: list[Entity] = []
        self._places = {entity: entity.home for entity in cast}
        self._told: set[Fact] = set()
        self._subject: Entity | None = None
        self._last_deed: dict[Entity, Action] = {}

    def next(self) -> Sentence:
        """Write the next sentence."""
        subject = self._next_subject()
        sentence = self._introduction(subject) if subject not in self._introduced else self._news(subject)
        self._subject = subject
        self._told.update(sentence.content.facts)
        return sentence

    def _next_subject(self) -> Entity:
        if self._subject is None:
            return self._cast[0]
        others = [entity for entity in self._cast if entity is not self._subject]
        if not others or self._chance(KEEPS_SUBJECT):
            return self._subject
        return pick(self._stream, others)

    def _news(self, subject: Entity) -> Sentence:
        choice = self._stream.random()
        sentence = None
        if choice < STATES_FACT:
            sentence = self._statement(subject)
        elif choice < STATES_FACT + MEETS_SOMEBODY:
            sentence = self._encounter(subject)
        return sentence or self._deed(subject)

    def _introduction(self, subject: Entity) -> Sentence:
        self._introduced.append(subject)
        facts = [_fact(subject, "colour")]
        article = "a"
        if self._chance(NAMES_SIZE):
            facts.append(_fact(subject, "size"))
            article = f"a {fact(subject, 'size')}"
        if subject.kind == PERSON:
            who = [("referent", f"{article} {subject.name}"), ("", f"in a {subject.colour.name} coat")]
        else:
            who = [("referent", f"{article} {subject.colour.name} {subject.name}")]
        here = self._places[subject]
        if self._chance(OPENS_WITH_PLACE):
            parts = [("place", here.phrase), ("action", "there is"), *who]
        else:
            facts.append(_fact(subject, "home"))
            parts = [*who, *_at_home(subject)]
        return _assemble(parts, Content(subject, BEING, None, here, tuple(facts)))

    def _statement(self, subject: Entity) -> Sentence | None:
        if self._chance(COMPARES) and (sentence := self._comparison(subject)):
            return sentence
        news = [_fact(subject, name) for name in ("colour", "home", *subject.stated)]
        untold = [told[1] for told in news if told not in self._told]
        if not untold:
            return None
        attribute = pick(self._stream, untold)
        stated = [attribute]
        if attribute == "home":
            predicate = _at_home(subject)
        elif attribute == "colour" and subject.kind == PERSON:
            predicate = [("action", "wears"), ("", f"a {subject.colour.name} coat")]
        else:
            more = [name for name in untold if name not in ("home", "colour", attribute)]
            if more and self._chance(STATES_TWO):
                stated.append(pick(self._stream, more))
            predicate = [("action", "is"), ("", " and ".join(fact(subject, name) for name in stated))]
        facts = tuple(_fact(subject, name) for name in stated)
        place = subject.home if attribute == "home" else self._places[subject]
        return _assemble([self._mention(subject), *predicate], Content(subject, BEING, None, place, facts))

    def _comparison(self, subject: Entity) -> Sentence | None:
        attribute = pick(self._stream, tuple(COMPARATIVES))
        partners = [
            entity
            for entity in self._introduced
            if attribute in entity.stated
            and attribute in subject.stated
            and abs(getattr(entity, attribute) - getattr(subject, attribute)) >= LEAST_DIFFERENCE
        ]
        if not partners:
            return None
        partner = pick(self._stream, partners)
        comparative = COMPARATIVES[attribute][getattr(subject, attribute) > getattr(partner, attribute)]
        news = (subject.name, attribute, f"{comparative} than the {partner.name}")
        if news in self._told:
            return None
        parts = [self._mention(subject), ("action", "is"), ("", news[2])]
        return _assemble(parts, Content(subject, BEING, partner, self._places[subject], (news,)))

    def _deed(self, subject: Entity) -> Sentence:
        last = self._last_deed.get(subject)
        action = pick(
            self._stream, [deed for deed in self._world.deeds if subject.kind in deed.agents and deed is not last]
        )
        self._last_deed[subject] = action
        here = self._places[subject]
        where: list[Part] = []
        if action.travels:
            goals = [place for place in self._world.places if subject.kind in place.visitors and place is not here]
            origin = [("", f"from the {here.name}")] if self._chance(NAMES_ORIGIN) else []
            here = self._places[subject] = pick(self._stream, goals)
            where = [*origin, ("place", f"to the {here.name}")]
        elif self._chance(NAMES_PLACE):
            where = [("place", here.phrase)]
        parts = [*self._opener(), self._mention(subject), ("action", action.verb), *where]
        return _assemble(parts, Content(subject, action, None, here))

    def _encounter(self, subject: Entity) -> Sentence | None:
        possible = [
            (action, partner)
            for action in self._world.encounters
            if subject.kind in action.agents and action is not self._last_deed.get(subject)
            for partner in self._cast
            if partner is not subject and partner.kind in action.partners
        ]
        if not possible:
            return None
        action, partner = pick(self._stream, possible)
        self._last_deed[subject] = action
        # ASSUME: who wants a tool goes to it; everybody else comes to the subject.
        place = self._places[partner if partner.kind == TOOL else subject]
        named = place is not self._places[subject] or self._chance(NAMES_PLACE)
        self._places[subject] = self._places[partner] = place
        mention = self._mention(subject)
        whom, facts = self._mention_partner(partner)
        parts = [*self._opener(), mention, ("action", action.verb), ("", whom)]
        if named:
            parts.append(("place", place.phrase))
        return _assemble(parts, Content(subject, action, partner, place, facts))

    def _mention(self, subject: Entity) -> Part:
        choice = self._stream.random()
        if subject is self._subject and choice < USES_PRONOUN:
            return ("referent", subject.pronoun)
        if choice > 1 - USES_COMMON_NOUN and self._fits_alone(subject):
            return ("referent", f"the {subject.kind_noun}")
        if subject.kind != PERSON and self._chance(NAMES_COLOUR):
            return ("referent", f"the {subject.colour.name} {subject.name}")
        return ("referent", f"the {subject.name}")

    def _mention_partner(self, partner: Entity) -> tuple[str, tuple[Fact, ...]]:
        if partner in self._introduced:
            common = self._fits_alone(partner) and self._chance(USES_COMMON_NOUN)
            return f"the {partner.kind_noun if common else partner.name}", ()
        self._introduced.append(partner)
        if partner.kind == PERSON:
            return f"a {partner.name}", ()
        return f"a {partner.colour.name} {partner.name}", (_fact(partner, "colour"),)

    def _fits_alone(self, entity: Entity) -> bool:
        return all(other is entity or other.kind_noun != entity.kind_noun for other in self._introduced)

    def _opener(self) -> list[Part]:
        return [("", pick(self._stream, OPENERS))] if self._chance(HAS_OPENER) else []

    def _chance(self, probability: float) -> bool:
        return bool(self._stream.random() < probability)


def _fact(subject: Entity, attribute: str) -> Fact:
    return subject.name, attribute, fact(subject, attribute)


def _at_home(subject: Entity) -> list[Part]:
    verb = "lives" if subject.pronoun != "it" or subject.kind == "animal" else "is kept"
    return [("action", verb), ("place", subject.home.phrase)]


def _assemble(parts: list[Part], content: Content) -> Sentence:
    words: list[str] = []
    known: dict[str, int] = {}
    for role, text in parts:
        words += text.split()
        known[role] = len(words) - 1
    words.append(".")
    referent = known["referent"]
    return Sentence(tuple(words), content, referent, known["action"], known.get("place", referent))
