"""YAML files as the user wrote them, before anything is merged or lost."""

from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any

import yaml

from brainalign.errors import InputError


class _Strict(yaml.SafeLoader):
    """A loader that refuses a key that comes twice in one mapping."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: dict[Any, int] = {}
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                continue  # refused below, with its line
            line = key_node.start_mark.line + 1
            if key in seen:
                raise InputError(
                    f"{node.start_mark.name}: the key {key!r} comes twice in one mapping, in lines {seen[key]} and "
                    f"{line}; only one can count."
                )
            seen[key] = line
        return super().construct_mapping(node, deep=deep)


def refuse_repeated_keys(path: Path) -> None:
    """Refuse a YAML file in which a key comes twice in one mapping: YAML itself would drop the first in silence.

    Raises
    ------
    InputError : a repeated key, with both lines, or a file that is not YAML.
    """
    if not _is_yaml(path):
        return
    try:
        with path.open(encoding="utf-8") as file:
            yaml.load(file, Loader=_Strict)
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8.") from error
    except yaml.YAMLError as error:
        raise InputError(f"{path} is not YAML: {' '.join(str(error).split())}.") from error


def keys_without_values(path: Path) -> list[tuple[str, ...]]:
    """Return where a YAML file has a key with nothing after its colon, as keys from the outermost on.

    YAML reads such a key as it reads `null`; only the text tells one from the other. Keys inside lists are passed over.

    Parameters
    ----------
    path : a file that `refuse_repeated_keys` lets pass; one that is not YAML by its ending has none.
    """
    if not _is_yaml(path):
        return []
    with path.open(encoding="utf-8") as file:
        return list(_without_values(yaml.compose(file, Loader=yaml.SafeLoader), ()))


def _without_values(node: yaml.Node | None, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if not isinstance(node, yaml.MappingNode):
        return
    for key, value in node.value:
        where = (*above, str(key.value))
        if isinstance(value, yaml.ScalarNode) and value.style is None and value.value == "":
            yield where
        yield from _without_values(value, where)


def _is_yaml(path: Path) -> bool:
    return path.suffix.lower() in (".yaml", ".yml")
