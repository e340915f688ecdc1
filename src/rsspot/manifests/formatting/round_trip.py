"""One YAML document through ruamel.yaml: two spaces a level, and every scalar, quote, anchor and comment as written."""

from __future__ import annotations

import io
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ruamel.yaml import YAML

WIDEST = 2**20
"""Columns. Lines are never folded."""
PLAIN_TAGS = tuple(f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "timestamp"))
"""What plain text may mean. It is written as it stands: a price stays 0.10, and a time is no time."""


class NotFormattable(ValueError):
    """A document that ruamel.yaml does not read as we do, or not at all."""


def indented(text: str) -> str:
    """A document in the usual layout. Raises NotFormattable."""
    from ruamel.yaml.error import YAMLError

    yaml = _yaml()(indents_lists=_indents_lists(text))
    try:
        content = yaml.load(text)
        if content is None:
            return text
        out = io.StringIO()
        yaml.dump(content, out)
    except (YAMLError, ValueError, TypeError, AttributeError, KeyError, IndexError, RecursionError) as error:
        # ruamel.yaml raises more than its own errors for texts that are only odd.
        raise NotFormattable(type(error).__name__) from None
    # A text that ends in blank lines which count is closed by a mark; the next document needs none.
    return out.getvalue().removesuffix("...\n")


def _indents_lists(text: str) -> bool:
    """Whether the first list that stands below a key is indented; both ways are usual, and one is kept."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    for above, line in pairwise(lines):
        if line.lstrip().startswith("- ") and above.rstrip().endswith(":") and not above.lstrip().startswith("- "):
            return len(line) - len(line.lstrip()) > len(above) - len(above.lstrip())
    return False


@cache
def _yaml() -> Any:
    """Makes a YAML() that keeps scalars as written."""
    from ruamel.yaml import YAML
    from ruamel.yaml.constructor import RoundTripConstructor
    from ruamel.yaml.representer import RoundTripRepresenter
    from ruamel.yaml.scalarstring import PlainScalarString

    class AsWritten(PlainScalarString):
        """A plain scalar that is no text, with the tag that it has."""

        __slots__ = ("written_tag",)

    class Constructor(RoundTripConstructor):
        def construct_as_written(self, node: Any) -> Any:
            scalar = AsWritten(node.value, anchor=node.anchor)
            scalar.written_tag = node.tag
            return scalar

    class Representer(RoundTripRepresenter):
        def represent_as_written(self, data: Any) -> Any:
            anchor = data.yaml_anchor(any=True)
            return self.represent_scalar(data.written_tag, str(data), style=None, anchor=anchor)

    for tag in PLAIN_TAGS:
        Constructor.add_constructor(tag, Constructor.construct_as_written)
    Representer.add_representer(AsWritten, Representer.represent_as_written)

    def make(*, indents_lists: bool) -> YAML:
        yaml = YAML()
        yaml.Constructor, yaml.Representer = Constructor, Representer
        yaml.preserve_quotes = True
        yaml.width = WIDEST
        yaml.indent(mapping=2, sequence=4 if indents_lists else 2, offset=2 if indents_lists else 0)
        return yaml

    return make
