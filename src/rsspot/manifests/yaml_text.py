"""Documents as YAML text with comments, one line for each value. Decides nothing about what is written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from rsspot.manifests.places import Place
from rsspot.models.money import price_text
from rsspot.utils.output import as_yaml
from rsspot.utils.serialization import Document
from rsspot.utils.text import COMMAND_ANYWHERE, printable

SEPARATOR = "---\n"
_END_OF_DOCUMENT = "\n..."


@dataclass(frozen=True)
class Comments:
    """beside: path of a value -> what stands at the end of its line · below: path of an object -> lines at its end."""

    beside: Mapping[Place, str] = field(default_factory=dict)
    below: Mapping[Place, tuple[str, ...]] = field(default_factory=dict)


def yaml_text(document: Document, comments: Comments | None = None) -> str:
    """One document. Prices are written as numbers, and texts so that no reader takes them for anything else."""
    return "".join(f"{line}\n" for line in _Writer(comments or Comments()).lines(document, ()))


class _Writer:
    def __init__(self, comments: Comments) -> None:
        self._comments = comments

    def lines(self, value: Mapping[str, Any], path: Place) -> Iterator[str]:
        """The lines of an object, without indentation."""
        for key, inner in value.items():
            yield from self._entry(f"{scalar(key)}:", inner, (*path, key))
        for comment in self._comments.below.get(path, ()):
            yield f"# {_harmless(comment)}"

    def _entry(self, head: str, value: Any, path: Place) -> Iterator[str]:
        """A key, or the dash of an item, with what belongs to it."""
        comment = self._comments.beside.get(path)
        end = f"  # {_harmless(comment)}" if comment else ""
        if isinstance(value, dict) and value:
            yield head + end
            yield from (f"  {line}" for line in self.lines(value, path))
        elif isinstance(value, list) and value:
            yield head + end
            yield from self._items(value, path)
        else:
            yield f"{head} {scalar(value)}{end}"

    def _items(self, items: list[Any], path: Place) -> Iterator[str]:
        for index, item in enumerate(items):
            if isinstance(item, dict) and item:
                first, *others = self.lines(item, (*path, index))
                yield from (f"  - {first}", *(f"    {line}" for line in others))
            else:
                yield from (f"  {line}" for line in self._entry("-", item, (*path, index)))


def scalar(value: Any) -> str:
    """A value without parts on one line, so that it is read as what it is by YAML 1.1 and by YAML 1.2."""
    if isinstance(value, Decimal):
        return price_text(value)
    if isinstance(value, str):
        return as_yaml(value).removesuffix(_END_OF_DOCUMENT)
    return json.dumps(value)


def _harmless(comment: str) -> str:
    """A comment that stays on its line, and in which nothing is left that the runner of a workflow would obey."""
    return COMMAND_ANYWHERE.sub("# #", printable(comment))
