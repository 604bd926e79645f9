"""What can exist in the world: colours, places, actions and nouns, with the features that never change.

Graded values lie between 0 and 1 and have no unit. The seed of a world (`brainalign.simulation.world`) chooses what
is left open here: each entity's colour and home, a person's pronoun, and how far the graded attributes are from the
values below.
"""

from dataclasses import dataclass

ANIMAL, PERSON, VEHICLE, TOOL = "animal", "person", "vehicle", "tool"
KINDS = (ANIMAL, PERSON, VEHICLE, TOOL)
ANIMATE = (ANIMAL, PERSON)
MOBILE = (ANIMAL, PERSON, VEHICLE)


@dataclass(frozen=True)
class Colour:
    """A colour, its valence (0 gloomy, 1 cheerful) and the kinds of entity that may have it."""

    name: str
    valence: float
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """A place: how far it is indoors, how crowded it is, which kinds of entity go there and which are at home there."""

    name: str
    preposition: str
    indoor: float
    crowd: float
    visitors: tuple[str, ...]
    residents: tuple[str, ...]

    @property
    def phrase(self) -> str:
        """The place in a sentence, such as "in the forest"."""
        return f"{self.preposition} the {self.name}"


@dataclass(frozen=True)
class Action:
    """Something that an entity does: how energetic and how social it is, and the kinds that do it.

    `partners` are the kinds that it can be done to (none: the verb takes no object); `travels` verbs lead to a place
    ("runs to the river"), the others happen at one ("sleeps in the barn").
    """

    verb: str
    energy: float
    sociality: float
    agents: tuple[str, ...]
    partners: tuple[str, ...] = ()
    travels: bool = False


@dataclass(frozen=True)
class Noun:
    """An entity before a world's seed has completed it: its name, kind and central graded values."""

    name: str
    kind: str
    size: float
    speed: float
    danger: float


ANIMACY = {PERSON: 0.95, ANIMAL: 0.75, VEHICLE: 0.3, TOOL: 0.05}

COLOURS = (
    Colour("yellow", 0.95, (PERSON, VEHICLE, TOOL)),
    Colour("white", 0.8, KINDS),
    Colour("green", 0.7, (PERSON, VEHICLE, TOOL)),
    Colour("blue", 0.6, (PERSON, VEHICLE, TOOL)),
    Colour("red", 0.5, KINDS),
    Colour("brown", 0.3, (ANIMAL, PERSON)),
    Colour("grey", 0.2, KINDS),
    Colour("black", 0.05, KINDS),
)

PLACES = (
    Place("forest", "in", 0.0, 0.1, ANIMATE, ANIMATE),
    Place("field", "in", 0.0, 0.15, MOBILE, (ANIMAL,)),
    Place("river", "at", 0.0, 0.25, ANIMATE, ANIMATE),
    Place("mountain", "on", 0.0, 0.0, ANIMATE, ANIMATE),
    Place("garden", "in", 0.1, 0.3, ANIMATE, (ANIMAL, TOOL)),
    Place("barn", "in", 0.8, 0.2, KINDS, (ANIMAL, VEHICLE, TOOL)),
    Place("street", "in", 0.0, 0.8, MOBILE, (PERSON,)),
    Place("market", "at", 0.3, 1.0, (PERSON, VEHICLE), (PERSON, VEHICLE)),
    Place("harbour", "at", 0.05, 0.7, (PERSON, VEHICLE), (PERSON, VEHICLE)),
    Place("station", "at", 0.5, 0.9, (PERSON, VEHICLE), (PERSON, VEHICLE)),
    Place("garage", "in", 0.9, 0.1, (PERSON, VEHICLE), (VEHICLE, TOOL)),
    Place("kitchen", "in", 1.0, 0.5, (PERSON,), (TOOL,)),
    Place("school", "in", 0.95, 0.95, (PERSON,), (TOOL,)),
    Place("hospital", "in", 1.0, 0.8, (PERSON,), (TOOL,)),
)

BEING = Action("is", 0.0, 0.0, KINDS)  # also "lives", "wears", "is kept": states, not deeds

DEEDS = (
    Action("sleeps", 0.0, 0.0, ANIMATE),
    Action("rests", 0.05, 0.1, ANIMATE),
    Action("hides", 0.25, 0.0, ANIMATE),
    Action("eats", 0.35, 0.3, ANIMATE),
    Action("plays", 0.75, 0.8, ANIMATE),
    Action("jumps", 0.9, 0.2, ANIMATE),
    Action("walks", 0.5, 0.15, ANIMATE, travels=True),
    Action("runs", 0.95, 0.1, ANIMATE, travels=True),
    Action("sings", 0.4, 0.7, (PERSON,)),
    Action("dances", 0.85, 0.85, (PERSON,)),
    Action("works", 0.6, 0.4, (PERSON,)),
    Action("waits", 0.05, 0.25, (PERSON, VEHICLE)),
    Action("rolls", 0.6, 0.05, (VEHICLE,), travels=True),
    Action("races", 1.0, 0.2, (VEHICLE,), travels=True),
    Action("turns", 0.45, 0.05, (VEHICLE,)),
    Action("rattles", 0.3, 0.0, (VEHICLE, TOOL)),
    Action("lies", 0.0, 0.0, (TOOL,)),
    Action("hangs", 0.05, 0.0, (TOOL,)),
    Action("falls", 0.7, 0.0, (TOOL,)),
    Action("shines", 0.2, 0.1, (VEHICLE, TOOL)),
)

ENCOUNTERS = (
    Action("meets", 0.3, 0.9, ANIMATE, partners=ANIMATE),
    Action("watches", 0.1, 0.5, ANIMATE, partners=MOBILE),
    Action("follows", 0.65, 0.6, MOBILE, partners=MOBILE),
    Action("chases", 1.0, 0.55, (ANIMAL,), partners=ANIMATE),
    Action("greets", 0.3, 1.0, (PERSON,), partners=ANIMATE),
    Action("helps", 0.55, 1.0, (PERSON,), partners=ANIMATE),
    Action("passes", 0.8, 0.15, (VEHICLE,), partners=MOBILE),
    Action("cleans", 0.5, 0.1, (PERSON,), partners=(VEHICLE, TOOL)),
    Action("finds", 0.4, 0.2, ANIMATE, partners=(VEHICLE, TOOL)),
    Action("uses", 0.6, 0.15, (PERSON,), partners=(VEHICLE, TOOL)),
)

NOUNS = (
    Noun("fox", ANIMAL, 0.3, 0.8, 0.4),
    Noun("wolf", ANIMAL, 0.5, 0.85, 0.85),
    Noun("bear", ANIMAL, 0.85, 0.55, 0.95),
    Noun("rabbit", ANIMAL, 0.15, 0.75, 0.05),
    Noun("horse", ANIMAL, 0.8, 0.9, 0.3),
    Noun("mouse", ANIMAL, 0.03, 0.45, 0.02),
    Noun("snake", ANIMAL, 0.15, 0.3, 0.9),
    Noun("eagle", ANIMAL, 0.35, 0.97, 0.6),
    Noun("cow", ANIMAL, 0.8, 0.25, 0.15),
    Noun("dog", ANIMAL, 0.4, 0.65, 0.35),
    Noun("baker", PERSON, 0.55, 0.3, 0.1),
    Noun("nurse", PERSON, 0.5, 0.5, 0.05),
    Noun("farmer", PERSON, 0.6, 0.4, 0.2),
    Noun("singer", PERSON, 0.5, 0.35, 0.1),
    Noun("soldier", PERSON, 0.65, 0.6, 0.85),
    Noun("teacher", PERSON, 0.5, 0.4, 0.1),
    Noun("thief", PERSON, 0.45, 0.75, 0.75),
    Noun("painter", PERSON, 0.5, 0.3, 0.15),
    Noun("car", VEHICLE, 0.65, 0.9, 0.6),
    Noun("truck", VEHICLE, 0.9, 0.7, 0.75),
    Noun("boat", VEHICLE, 0.75, 0.4, 0.35),
    Noun("train", VEHICLE, 0.97, 0.95, 0.7),
    Noun("bicycle", VEHICLE, 0.45, 0.55, 0.2),
    Noun("tractor", VEHICLE, 0.85, 0.3, 0.55),
    Noun("hammer", TOOL, 0.2, 0.1, 0.5),
    Noun("knife", TOOL, 0.1, 0.15, 0.9),
    Noun("saw", TOOL, 0.3, 0.2, 0.8),
    Noun("lamp", TOOL, 0.25, 0.03, 0.15),
    Noun("kettle", TOOL, 0.2, 0.05, 0.4),
    Noun("broom", TOOL, 0.4, 0.1, 0.03),
)
