"""Applies overlays to the manifests that they address, before references are filled in and anything is validated."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from rsspot.constants import LOCAL_API_VERSION
from rsspot.errors import Origin, Problem
from rsspot.manifests.matrix import KEY
from rsspot.manifests.overlay import Overlay, OverlayTarget
from rsspot.manifests.patching import PatchFailed, Patching, PatchTooLarge, Placed, marks_of, merged, placed
from rsspot.manifests.places import Place
from rsspot.manifests.rules import ManifestRule
from rsspot.manifests.source import Source
from rsspot.manifests.validation import as_model
from rsspot.manifests.variables import Variables, expanded
from rsspot.resources.registry import kinds
from rsspot.utils.serialization import at_path
from rsspot.utils.text import did_you_mean

NAME: Place = ("metadata", "name")
FIXED: tuple[Place, ...] = (("apiVersion",), ("kind",), NAME, (KEY,))
"""What makes a manifest the one that it is."""
NEEDS = {"add": "value", "replace": "value", "test": "value", "move": "from", "copy": "from"}
"""Operation -> the field that it needs besides its path."""
MOST_VALUES = 2_000_000
"""Values that one overlay may set in all manifests together."""
MOST_COMPARED = 1000
"""Names that a mistyped one is compared with."""
TARGET: Place = ("spec", "target")
MERGE: Place = ("spec", "merge")
PATCH: Place = ("spec", "patch")


@dataclass
class _Addressed:
    """A manifest with the names by which overlays may call it."""

    source: Source
    kind: str
    names: tuple[str, ...]
    document: Placed | None = None
    """The manifest with its places, once an overlay has changed it."""
    patched_by: tuple[Origin, ...] = ()
    """Those overlays, in their order."""

    @property
    def placed(self) -> Placed:
        source = self.source
        return self.document or placed(source.value, source.marks, (), source.origin())

    @property
    def result(self) -> Source:
        """The manifest as the overlays left it."""
        if self.document is None:
            return self.source
        marks = marks_of(self.document.places)
        marks[NAME] = replace(self.source.origin(NAME), patched_by=self.patched_by)
        return replace(self.source, value=self.document.value, marks=marks)

    def change(self, make: Change, overlay: Origin) -> None:
        """Apply one overlay. Raises _Failed."""
        before = self.placed
        self.document = make(self.source, before)
        if self.document.value != before.value:
            self.patched_by = (*self.patched_by, overlay)


def with_overlays(
    sources: Sequence[Source], overlays: Sequence[Source], variables: Variables, problems: list[Problem]
) -> list[Source]:
    """The manifests as the overlays change them, in the order of the overlays."""
    addressed = [_addressed(source, variables) for source in sources] if overlays else []
    for overlay in overlays:
        target = _target(overlay, variables, problems)
        if target is None:
            continue
        found = [each for each in addressed if _matches(target, each)]
        if not found:
            problems.append(_addresses_nothing(target, overlay, addressed))
        elif len(found) * len(overlay.marks) > MOST_VALUES:
            problems.append(
                Problem(
                    f"the overlay would set more than {MOST_VALUES} values", overlay.origin(), rule=ManifestRule.OVERLAY
                )
            )
            continue
        make = _merge(overlay) or _patch(overlay)
        for each in found:
            try:
                each.change(make, overlay.origin(MERGE if MERGE in overlay.marks else PATCH))
            except _Failed as failed:
                problems += failed.problems
                # It is likely to go wrong with the others too, and one is enough to see why.
                break
    return [each.result for each in addressed] if overlays else list(sources)


def _addressed(source: Source, variables: Variables) -> _Addressed:
    name = _peek(source, ("metadata", "name"), variables)
    kind = at_path(source.value, ("kind",))
    known = kinds().get(kind) if isinstance(kind, str) else None
    parent = _peek(source, ("spec", *known.parent.path), variables) if known and known.parent else None
    names = (name, f"{parent}/{name}") if parent else (name,)
    return _Addressed(source, str(kind), names)


def _peek(source: Source, path: Place, variables: Variables) -> str:
    """A value as it will be; what is wrong with it is told when it is filled in."""
    if at_path(source.value, path) is None:
        return ""
    value, _, _ = expanded(source, path, variables)
    return str(value)


def _target(overlay: Source, variables: Variables, problems: list[Problem]) -> OverlayTarget | None:
    """What an overlay addresses; None if the document is not as it has to be, which is told."""
    before = len(problems)
    document = dict(overlay.value)
    if at_path(document, TARGET) is not None:
        target, missing, _ = expanded(overlay, TARGET, variables)
        problems += missing
        document["spec"] = {**document["spec"], "target": target}
    valid = as_model(Overlay, document, overlay, (), problems)
    if valid is None:
        return None
    problems += _mistakes(valid, overlay)
    return valid.spec.target if len(problems) == before else None


def _mistakes(valid: Overlay, overlay: Source) -> Iterator[Problem]:
    spec = valid.spec
    if valid.api_version != LOCAL_API_VERSION:
        message = f"wrong apiVersion {valid.api_version!r}"
        yield Problem(
            message, overlay.origin(("apiVersion",)), f"Overlay is {LOCAL_API_VERSION}", rule=ManifestRule.API_VERSION
        )
    if (spec.merge is None) == (spec.patch is None):
        yield Problem("an overlay has either merge or patch", overlay.origin(("spec",)), rule=ManifestRule.OVERLAY)
    if spec.target.kind is None and spec.target.name is None:
        yield Problem("the target names neither a kind nor a name", overlay.origin(TARGET), rule=ManifestRule.OVERLAY)
    for index, operation in enumerate(spec.patch or ()):
        needed = NEEDS.get(operation.op)
        if needed and needed not in overlay.value["spec"]["patch"][index]:
            yield Problem(
                f"{operation.op} needs a {needed}",
                overlay.origin((*PATCH, index)),
                quotable=False,
                rule=ManifestRule.OVERLAY,
            )


def _matches(target: OverlayTarget, each: _Addressed) -> bool:
    return fnmatch.fnmatchcase(each.kind, target.kind or "*") and any(
        fnmatch.fnmatchcase(name, target.name or "*") for name in each.names
    )


def _addresses_nothing(target: OverlayTarget, overlay: Source, addressed: Sequence[_Addressed]) -> Problem:
    of_kind = [each for each in addressed if fnmatch.fnmatchcase(each.kind, target.kind or "*")]
    word, field = (target.name, "name") if of_kind else (target.kind, "kind")
    names = {name for each in of_kind for name in each.names} or {each.kind for each in addressed}
    known = sorted(names)[:MOST_COMPARED]
    what = " ".join(filter(None, (target.kind, target.name)))
    hint = did_you_mean(word or "", known) or f"{field}s here: {', '.join(known[:10]) or 'none'}"
    return Problem(
        f"the overlay addresses nothing: no {what} is declared",
        overlay.origin((*TARGET, field)),
        hint,
        rule=ManifestRule.OVERLAY,
    )


Change = Callable[[Source, Placed], Placed]
"""What an overlay makes of a manifest. Raises _Failed."""


class _Failed(Exception):
    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems[0].message)
        self.problems = problems


def _merge(overlay: Source) -> Change | None:
    """The merge patch of an overlay, if it has one."""
    written = overlay.value["spec"].get("merge")
    if not isinstance(written, dict):
        return None
    patch = placed(written, overlay.marks, MERGE, overlay.origin(MERGE))
    origins = {path: overlay.origin((*MERGE, *path)) for path in FIXED}

    def change(source: Source, document: Placed) -> Placed:
        changed = merged(document, patch)
        if broken := _fixed_changed(document, changed):
            raise _Failed([_unchangeable(path, source, origins[path]) for path in broken])
        return changed

    return change


def _patch(overlay: Source) -> Change:
    """The JSON patch of an overlay."""
    operations = [
        (operation, origin, placed(operation, overlay.marks, (*PATCH, index), origin).places)
        for index, operation in enumerate(overlay.value["spec"]["patch"])
        for origin in [overlay.origin((*PATCH, index))]
    ]

    def change(source: Source, document: Placed) -> Placed:
        patching, problems = Patching(document), []
        broken: set[Place] = set()
        for operation, origin, places in operations:
            try:
                patching.carry_out(operation, places)
            except PatchFailed as failed:
                message = f"{failed} in {_name(source)}"
                problems.append(Problem(message, origin, quotable=False, rule=ManifestRule.OVERLAY))
                if isinstance(failed, PatchTooLarge):
                    break
            newly = [path for path in _fixed_changed(document, patching.result) if path not in broken]
            # One operation is one mistake, however much it replaces.
            problems += [_unchangeable(path, source, origin) for path in newly[:1]]
            broken.update(newly)
        if problems:
            raise _Failed(problems)
        return patching.result

    return change


def _fixed_changed(before: Placed, after: Placed) -> list[Place]:
    """What makes another manifest of it."""
    return [path for path in FIXED if at_path(before.value, path) != at_path(after.value, path)]


def _unchangeable(path: Place, source: Source, origin: Origin) -> Problem:
    message = f"an overlay cannot change {'.'.join(map(str, path))} of {_name(source)}"
    hint = "let its values be a variable" if path == (KEY,) else "declare another manifest"
    return Problem(message, origin, hint, quotable=False, rule=ManifestRule.OVERLAY)


def _name(source: Source) -> str:
    """A manifest for people, without values that may be secret: its kind and its place."""
    return f"the {at_path(source.value, ('kind',))} at {source.origin(('metadata', 'name'))}"
