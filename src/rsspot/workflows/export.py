"""export and import: live objects to manifests worth committing. Sends only GETs, writes no file, prints nothing.

An object keeps its name in a manifest where the planner would find that very object by it, and goes by its UUID where
it would not: a pool that another tool made, or one of several with the same name. What a plan then shows of an object
is nothing, if its stack is on record, or its adoption.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from rsspot.client.async_client import AsyncSpotClient
from rsspot.errors import RsspotError, UsageError, not_found
from rsspot.manifests.described_kinds import kind_called
from rsspot.manifests.document import authored_kinds
from rsspot.manifests.from_live import Authored, Unwritable, authored
from rsspot.manifests.manifest import Manifest
from rsspot.manifests.stack import DEFAULT_STACK
from rsspot.models.fields import COMMAND
from rsspot.models.refs import DNS_LABEL, Ref, is_uuid
from rsspot.planner.draft import PlanContext
from rsspot.planner.live import LiveState, Owned
from rsspot.planner.matching import match_one
from rsspot.planner.options import PlanOptions
from rsspot.planner.ownership import Owners, label_of
from rsspot.resources.kind import Kind, Naming, is_controlled
from rsspot.resources.names import called, chosen, given_name
from rsspot.resources.registry import kinds
from rsspot.state.ledger.protocol import Ledger
from rsspot.utils.secrets import Secrets
from rsspot.utils.serialization import Document
from rsspot.utils.text import choices
from rsspot.workflows.known import on_record, read_live, scope_id


@dataclass(frozen=True)
class LiveObjects:
    """One reading of the objects that manifests can declare, and of the ledger.

    live: kind -> wire name -> object · owned: stack -> what the ledger has on record of it
    """

    organization: str
    live: Mapping[str, Mapping[str, Document]]
    owned: Mapping[str, Mapping[Ref, Owned]] = field(default_factory=dict)
    credentials: Secrets = field(default_factory=lambda: Secrets(()))

    def of(self, kind: Kind[Any]) -> list[Document]:
        """The objects of a kind; those of one that stands for others are gathered from the others."""
        if kind.gather and kind.expands_to:
            return kind.gather(list(self.live.get(kind.expands_to, {}).values()))
        return list(self.live.get(kind.name, {}).values())

    def context(self, stack: str) -> PlanContext:
        """What a plan of this stack would look at."""
        state = LiveState(self.organization, self.live, owned=self.owned.get(stack, {}))
        return PlanContext(state, kinds(), Owners(stack, state), PlanOptions())

    def stack_of(self, kind: Kind[Any], live: Document) -> str | None:
        """The stack that an object belongs to: by its label or, where the service drops labels, by the ledger."""
        label = label_of(live)
        if label is not None:
            return label
        for stack in sorted(self.owned):
            owners = self.context(stack).owners
            if owners.is_ours(kind, live) and not owners.lost_its_label(kind, live):
                return stack
        return None


@dataclass(frozen=True)
class Chosen:
    """A live object that somebody wants as a manifest."""

    kind: Kind[Any]
    live: Document
    stack: str | None

    @cached_property
    def address(self) -> str:
        """How people call it."""
        return self.kind.address(given_name(self.live), self.live.get("spec") or {})

    @property
    def obstacle(self) -> str | None:
        """Why no manifest can stand for the object, as a clause."""
        if is_controlled(self.live):
            return "the service made it for another object, and manages it"
        if self.live["metadata"].get("deletionTimestamp"):
            return "it is being deleted"
        if self.stack is not None and not DNS_LABEL.fullmatch(self.stack):
            return f"its label names the stack {self.stack!r}, and no stack can have that name"
        return None


@dataclass(frozen=True)
class WrittenObject:
    """A live object as a manifest under the name that is its own. by_uuid: whether that is a UUID."""

    authored: Authored
    stack: str | None
    by_uuid: bool = False

    @property
    def manifest(self) -> Manifest:
        return self.authored.manifest


async def read_live_objects(client: AsyncSpotClient, ledger: Ledger, names: Sequence[str] = ()) -> LiveObjects:
    """Read what can be exported; with names, only objects of the kinds that they name.

    Raises RsspotError for a kind whose list cannot be read: a part would look like the whole.
    """
    wanted = {kind_of(name).name for name in names} or {*authored_kinds()}
    sources = [kinds()[kinds()[name].expands_to or name] for name in sorted(wanted)]
    snapshot = await read_live(client, ledger, sources)
    for kind, why in sorted(snapshot.incomplete.items()):
        hint = "try again when the service answers, or name the objects that you want"
        raise RsspotError(f"the live {kinds()[kind].plural} could not be read: {why}", hint=hint)
    account = scope_id(client.base_url, snapshot.organization, "")
    stacks = {scope.removeprefix(account) for scope in ledger.scopes() if scope.startswith(account)}
    owned = {stack: on_record(ledger, account + stack) for stack in stacks}
    return LiveObjects(snapshot.organization, snapshot.live, owned, Secrets(client.credentials))


def kind_of(name: str) -> Kind[Any]:
    """The kind that `KIND/NAME` is of. Raises UsageError."""
    word, slash, _ = name.partition("/")
    if not slash:
        raise UsageError(f"{name!r} names no kind", hint="write KIND/NAME, such as cloudspace/edge")
    kind = authored_kinds().get(kind_called(word))
    if kind is None:
        known = ", ".join(sorted(each.lower() for each in authored_kinds()))
        raise UsageError(f"there are no live objects of kind {word!r} to write manifests of", hint=f"kinds: {known}")
    return kind


def choose(objects: LiveObjects, names: Sequence[str]) -> Iterator[Chosen]:
    """The objects of these names, or all that there are. Raises NotFound and UsageError for a name of none."""
    seen = set()
    for name in names:
        kind = kind_of(name)
        live = chosen(kind, objects.of(kind), called(kind, name.partition("/")[2]))
        if (identity := (kind.name, live["metadata"]["name"])) not in seen:
            seen.add(identity)
            yield Chosen(kind, live, objects.stack_of(kind, live))
    for kind in authored_kinds().values() if not names else ():
        for live in objects.of(kind):
            if not is_controlled(live):
                yield Chosen(kind, live, objects.stack_of(kind, live))


def exported(
    objects: LiveObjects, names: Sequence[str], *, stack: str | None = None, notes: list[str]
) -> list[WrittenObject]:
    """Objects as manifests of the stacks that they belong to. stack: only those of this one

    notes: gets a sentence about each object of an unnamed choice that cannot be a manifest
    """
    found = list(choose(objects, names))
    if stack is not None:
        others = [each for each in found if each.stack != stack]
        if names and others:
            raise UsageError(f"{others[0].address} {_owner(others[0])}", hint=f"it is not of the stack {stack!r}")
        stacks = sorted({each.stack for each in found if each.stack})
        found = [each for each in found if each.stack == stack]
        if not found:
            raise not_found(f"nothing belongs to the stack {stack!r}", hint=choices("stacks", stack, stacks))
    return _all_written(objects, found, notes, named=bool(names))


def imported(
    objects: LiveObjects, names: Sequence[str], *, stack: str, declared: Sequence[Manifest] = (), notes: list[str]
) -> list[WrittenObject]:
    """Objects as manifests of one stack, which they become part of, without those that it declares already.

    Raises UsageError for a named one that belongs to another stack, or that is declared.
    """
    known = _declared(objects, declared, stack)
    wanted, elsewhere = [], 0
    for each in choose(objects, names):
        if names and each.stack not in (None, stack):
            hint = f"`rsspot export --stack {each.stack}` writes its manifest"
            raise UsageError(f"{each.address} {_owner(each)}", hint=hint)
        if each.stack not in (None, stack):
            elsewhere += 1
        elif (manifest := known.get(_identity(each.kind, each.live))) is not None:
            if names:
                raise UsageError(f"{each.address} is declared already", hint=f"at {manifest.origin}")
        else:
            wanted.append(Chosen(each.kind, each.live, stack))
    if elsewhere:
        notes.append(f"{elsewhere} object{'s belong' if elsewhere > 1 else ' belongs'} to other stacks")
    return _all_written(objects, wanted, notes, named=bool(names))


def _declared(objects: LiveObjects, manifests: Iterable[Manifest], stack: str) -> dict[tuple[str, ...], Manifest]:
    """What is declared already, by the identity of the live objects."""
    context, found = objects.context(stack), {}
    for manifest in manifests:
        if manifest.kind.expand:
            found[_identity(manifest.kind, {"metadata": {"name": manifest.name}, "spec": manifest.spec})] = manifest
        elif (live := match_one(manifest, context).live) is not None:
            found[_identity(manifest.kind, live)] = manifest
    return found


def _identity(kind: Kind[Any], live: Document) -> tuple[str, ...]:
    """What tells an object from others of its kind; of one that stands for others, what it says besides the program."""
    if kind.expand:
        programs = {path[0] for path in kind.marked(COMMAND)}
        return (kind.name, *(str(value) for key, value in sorted(live["spec"].items()) if key not in programs))
    return (kind.name, live["metadata"]["name"])


def _all_written(
    objects: LiveObjects, found: Iterable[Chosen], notes: list[str], *, named: bool
) -> list[WrittenObject]:
    written = []
    for each in found:
        try:
            written.append(_written(objects, each))
        except Unwritable as error:
            if named:
                raise UsageError(f"{each.address} cannot be written as a manifest: {error}") from None
            notes.append(f"{each.address} is left out: {error}")
    return sorted(written, key=lambda each: each.manifest.address)


def _written(objects: LiveObjects, wanted: Chosen) -> WrittenObject:
    """Raises Unwritable."""
    if wanted.obstacle:
        raise Unwritable(wanted.obstacle)
    plain = authored(wanted.kind, wanted.live, objects.credentials)
    if wanted.kind.naming is Naming.LABEL:
        return WrittenObject(plain, wanted.stack)
    # Manifests without a Stack are of the default one.
    context = objects.context(wanted.stack or DEFAULT_STACK)
    name = own_name(plain.manifest, wanted.live, context)
    if name is None:
        return WrittenObject(plain, wanted.stack, by_uuid=True)
    return WrittenObject(plain.named(name), wanted.stack)


def own_name(manifest: Manifest, live: Document, context: PlanContext) -> str | None:
    """The name that an object was given, if a manifest of that name means this object and no other."""
    name = context.owners.address(manifest.kind, live).rpartition("/")[2]
    if is_uuid(name) or not DNS_LABEL.fullmatch(name):
        return None
    named = Manifest(manifest.kind, name, manifest.body)
    match = match_one(named, context)
    # Another object may live under the wire name that is derived from this one, without a name of its own.
    meant = context.state.live.get(manifest.kind.name, {}).get(context.wire_name(named), live)
    alone = not match.predecessors and not match.copies and meant is live
    return name if alone and match.live is live else None


def _owner(each: Chosen) -> str:
    return "belongs to no stack" if each.stack is None else f"belongs to the stack {each.stack!r}"


def stacks_of(written: Collection[WrittenObject]) -> list[str | None]:
    """The stacks that objects belong to, sorted; None, for those of none, comes first."""
    return sorted({each.stack for each in written}, key=lambda stack: stack or "")
