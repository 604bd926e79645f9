import numpy as np
import pytest

from brainalign.errors import InputError
from brainalign.simulation.catalogue import KINDS, PERSON
from brainalign.simulation.world import GRADED, JITTER, LEVELS, fact, make_world


def test_world_is_a_function_of_its_seed():
    assert make_world(3) == make_world(3)
    assert make_world(3).entities != make_world(4).entities


def test_world_is_large_enough_and_holds_every_kind(world):
    assert len(world.entities) >= 24
    assert len({entity.name for entity in world.entities}) == len(world.entities)
    assert {entity.kind for entity in world.entities} == set(KINDS)


def test_attributes_are_allowed_for_the_kind(world):
    for entity in world.entities:
        assert entity.kind in entity.colour.kinds
        assert entity.kind in entity.home.residents
        assert (entity.pronoun == "it") == (entity.kind != PERSON)
        assert all(0 <= getattr(entity, name) <= 1 for name in ("animacy", *GRADED))


def test_worlds_differ_by_no_more_than_the_jitter_in_graded_attributes():
    first, second = make_world(1), make_world(2)
    for one, other in zip(first.entities, second.entities, strict=True):
        difference = [getattr(one, name) - getattr(other, name) for name in GRADED]
        assert np.abs(difference).max() <= 2 * JITTER


@pytest.mark.parametrize("attribute", GRADED)
def test_words_of_a_graded_attribute_keep_its_order(world, attribute):
    ordered = sorted(world.entities, key=lambda entity: getattr(entity, attribute))
    levels = [LEVELS[attribute].index(fact(entity, attribute)) for entity in ordered]
    assert levels == sorted(levels)
    assert set(levels) == {0, 1, 2, 3}


def test_unknown_names_are_answered_with_the_nearest(world):
    with pytest.raises(InputError, match="unknown entity 'foxx'; did you mean 'fox'"):
        world.entity("foxx")
    with pytest.raises(InputError, match="unknown attribute 'speeds'; did you mean 'speed'"):
        fact(world.entities[0], "speeds")


@pytest.mark.parametrize("seed", [-1, 1.5, True, "1"])
def test_a_seed_that_is_no_natural_number_is_refused(seed):
    with pytest.raises(InputError, match="must be an integer from 0 on"):
        make_world(seed)
