"""Names that complete a word: of objects, however they are called, and of the fields of a kind. Looks nothing up.

Imported only where a word is one of these.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable


def objects(known: Iterable[str], beginning: str, *, within: str | None, by_kind: bool) -> list[str]:
    """What may stand for one of these objects: `workers`, `edge/workers`, or `spotnodepool/edge/workers`.

    known: names, with that of the parent if there is one · beginning: of the word that is completed
    within: the parent that the line names · by_kind: whether the word begins with one for the kind
    """
    full = [name for name in _without_doubles(known) if within in (None, _parent(name))]
    kind, slash, _ = beginning.partition("/")
    if slash:
        return [*full, *(f"{kind}/{name}" for name in full if by_kind)]
    found = Counter(map(_last, full))
    # A name that several parents have would be refused.
    short = [name if found[_last(name)] > 1 else _last(name) for name in full]
    return [*dict.fromkeys([*short, *full])] if beginning else short


def fields(paths: Iterable[str], beginning: str) -> list[str]:
    """The fields that may follow in `KIND.FIELD…`, one level at a time. A field of the spec needs no `spec.`.

    paths: of all fields of the kind, from its root
    """
    kind, _, typed = beginning.partition(".")
    above = typed.rpartition(".")[0]
    whole = [path for path in paths if path.rpartition(".")[0] == above]
    in_spec = [path for path in paths if path.rpartition(".")[0] == ".".join(filter(None, ["spec", above]))]
    return [f"{kind}.{path}" for path in (*(path.removeprefix("spec.") for path in in_spec), *whole)]


def _without_doubles(known: Iterable[str]) -> list[str]:
    """The names, without those that are there with their parent too."""
    names = sorted(set(known))
    ends = {_last(name) for name in names if "/" in name}
    return [name for name in names if "/" in name or name not in ends]


def _parent(name: str) -> str | None:
    return name.rpartition("/")[0] or None


def _last(name: str) -> str:
    return name.rpartition("/")[2]
