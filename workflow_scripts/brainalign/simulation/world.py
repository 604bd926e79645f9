"""A small world: entities whose attributes are facts, constant over everything that is written about it."""

from dataclasses import dataclass

import numpy as np

from brainalign.errors import unknown
from brainalign.simulation.catalogue import (
    ANIMACY,
    COLOURS,
    DEEDS,
    ENCOUNTERS,
    NOUNS,
    PERSON,
    PLACES,
    TOOL,
    Action,
    Colour,
    Noun,
    Place,
)
from brainalign.simulation.streams import pick, random_stream

GRADED = ("size", "speed", "danger")
ATTRIBUTES = ("kind", "colour", "home", *GRADED)

# the words of a graded attribute from the lowest quarter of its range to the highest
LEVELS = {
    "size": ("tiny", "small", "large", "huge"),
    "speed": ("very slow", "slow", "fast", "very fast"),
    "danger": ("harmless", "nearly harmless", "dangerous", "very dangerous"),
}
COMPARATIVES = {"size": ("smaller", "larger"), "speed": ("slower", "faster")}

JITTER = 0.08  # the largest distance of a graded attribute from the catalogue's value


@dataclass(frozen=True)
class Entity:
    """One thing or being. Graded attributes lie between 0 and 1; a person's `colour` is that of the coat."""

    name: str
    kind: str
    colour: Colour
    home: Place
    pronoun: str
    animacy: float
    size: float
    speed: float
    danger: float

    @property
    def kind_noun(self) -> str:
        """The common noun that can stand for the entity: its kind, or "woman" or "man" for a person."""
        if self.kind != PERSON:
            return self.kind
        return "woman" if self.pronoun == "she" else "man"

    @property
    def stated(self) -> tuple[str, ...]:
        """The graded attributes that texts speak of; a tool has a speed, but nobody mentions it."""
        return tuple(name for name in GRADED if not (self.kind == TOOL and name == "speed"))


@dataclass(frozen=True)
class World:
    """Everything there is: entities with their facts, places and actions, and the seed that completed them."""

    seed: int
    entities: tuple[Entity, ...]
    places: tuple[Place, ...]
    deeds: tuple[Action, ...]
    encounters: tuple[Action, ...]

    def entity(self, name: str) -> Entity:
        """Return the entity of that name. Raises InputError, naming the nearest, where there is none."""
        for entity in self.entities:
            if entity.name == name:
                return entity
        raise unknown("entity", name, [entity.name for entity in self.entities])


def make_world(seed: int) -> World:
    """Complete the catalogue's nouns into a world of 30 entities.

    The seed draws each entity's colour and home (uniformly from those allowed for its kind), a person's pronoun, and
    its graded attributes, uniformly within ± 0.08 of the catalogue's values and cut to [0, 1].

    Raises
    ------
    InputError : the seed is not an integer from 0 on.
    """
    stream = random_stream(seed, "world")
    entities = tuple(_complete(noun, stream) for noun in NOUNS)
    return World(int(seed), entities, PLACES, DEEDS, ENCOUNTERS)


def fact(entity: Entity, attribute: str) -> str:
    """Return an attribute of an entity in the words of the texts: "animal", "red", "in the forest", "very fast".

    A graded value v is spoken of as the level floor(4 v) of its four words (the fourth for v = 1).

    Raises
    ------
    InputError : an attribute that is not in ATTRIBUTES.
    """
    if attribute == "kind":
        return entity.kind
    if attribute == "colour":
        return entity.colour.name
    if attribute == "home":
        return entity.home.phrase
    if attribute not in GRADED:
        raise unknown("attribute", attribute, ATTRIBUTES)
    value: float = getattr(entity, attribute)
    return LEVELS[attribute][min(int(4 * value), 3)]


def _complete(noun: Noun, stream: np.random.Generator) -> Entity:
    colour = pick(stream, [colour for colour in COLOURS if noun.kind in colour.kinds])
    home = pick(stream, [place for place in PLACES if noun.kind in place.residents])
    pronoun = pick(stream, ("she", "he"))
    central = np.array([ANIMACY[noun.kind], noun.size, noun.speed, noun.danger])
    values = np.clip(central + stream.uniform(-JITTER, JITTER, size=len(central)), 0.0, 1.0)
    animacy, size, speed, danger = (float(value) for value in values)
    return Entity(
        name=noun.name,
        kind=noun.kind,
        colour=colour,
        home=home,
        pronoun=pronoun if noun.kind == PERSON else "it",
        animacy=animacy,
        size=size,
        speed=speed,
        danger=danger,
    )
