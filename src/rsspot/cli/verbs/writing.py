"""The commands of a kind that change an object: create, update, patch and delete."""

from __future__ import annotations

import sys
from collections.abc import Callable
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Any

import typer

from rsspot.cli.grammar import DESCRIPTIONS
from rsspot.cli.inputs import read_json_argument
from rsspot.cli.prompts import YES, confirm
from rsspot.cli.session import CliSession, session
from rsspot.cli.spec_options import descriptions, pair, spec_from, spec_options, with_defaults
from rsspot.cli.verbs.new_objects import NewObject, children_from, name_of, objects_in_file
from rsspot.cli.verbs.no_effect import refuse_scaling, scaling_options
from rsspot.cli.verbs.objects import NAME, emit_one, plain, within_option
from rsspot.cli_history import shown
from rsspot.errors import RsspotError, UsageError
from rsspot.models.fields import IMMUTABLE
from rsspot.resources.kind import Kind
from rsspot.resources.names import called
from rsspot.resources.registry import kinds
from rsspot.resources.secrecy import without_secrets
from rsspot.resources.validation import whole_spec
from rsspot.utils.serialization import Document, at_path
from rsspot.workflows.offers import check_change, check_new

NEW_NAME = shown(
    typer.Argument(None, help="The name. If the API names this kind by UUID, the UUID is derived from it.")
)
SPEC = typer.Argument(None, help="The spec, as JSON: '{\"desired\": 3}'. - reads standard input, @FILE a file.")
LABEL = typer.Option([], metavar="NAME=VALUE", help="Set a label of the object; may be repeated.")
CONFIG = shown(typer.Option(None, "--config", help="Create what this YAML or JSON file of the official CLI describes."))


def create_command(kind: Kind[Any]) -> Callable[..., None]:
    """The `create` command of a kind."""
    children = [child for child in kinds().values() if child.manageable and not child.local and _lives_in(child, kind)]

    def create(
        name: str | None = NEW_NAME,
        spec: str | None = SPEC,
        object_label: list[str] = LABEL,
        **given: Any,
    ) -> None:
        here = session()
        if (config := given.pop("config", None)) is not None:
            if name is not None or spec is not None:
                raise UsageError("cannot combine --config with a name or a spec")
            _create_all(here, objects_in_file(kind, children, config))
            return
        refuse_scaling(kind, given)
        fields = with_defaults(kind, {**(read_json_argument(spec) if spec else {}), **spec_from(kind, given)})
        labels = dict(pair(text, "--label") for text in object_label)
        first = NewObject(kind, name_of(kind, name), fields, labels)
        _create_all(here, [first, *children_from(first, children, given)])

    create.__doc__ = f"Create one {kind.name}. Does not wait until it is ready."
    has_labels = any(option.option == "label" for option in spec_options(kind))
    label_names = ("--object-label",) if has_labels else ("--label",)
    inside = [
        Parameter(
            f"child_{child.name.lower()}",
            Parameter.KEYWORD_ONLY,
            default=typer.Option(
                [], f"--{child.name.lower()}", metavar="FIELDS", help=f"Create a {child.name} in it too: field=value,…"
            ),
            annotation=list[str],
        )
        for child in children
    ]
    if children:
        inside.append(Parameter("config", Parameter.KEYWORD_ONLY, default=CONFIG, annotation=Path | None))
    return _with_options(create, kind, {"object_label": label_names}, inside)


def update_command(kind: Kind[Any]) -> Callable[..., None]:
    """The `update` command of a kind."""

    def update(name: str = NAME, **given: Any) -> None:
        here = session()
        refuse_scaling(kind, given)
        wanted = spec_from(kind, given)
        if not wanted:
            raise UsageError("nothing to change", hint="give the fields to change as options; --help lists them")

        async def work() -> Document:
            live = await here.client.documents(kind).find(name, within=_parent_in(kind, wanted))
            changes = _changes(kind, wanted, live.get("spec") or {})
            if not changes:
                return live
            wire = live["metadata"]["name"]
            await check_change(here.client, kind, wire, changes)
            return plain(await here.client.collection(kind).patch(wire, changes))

        emit_one(here, kind, here.run(work()))

    update.__doc__ = f"Change the given fields of one {kind.name}."
    return _with_options(update, kind, {}, [], ("--within",))


def patch_command(kind: Kind[Any]) -> Callable[..., None]:
    """The `patch` command of a kind."""

    def patch(
        name: str = NAME,
        spec: str = typer.Argument(help="Fields to change, as JSON: '{\"desired\": 3}'."),
        within: str = within_option(kind),
    ) -> None:
        here = session()
        fields, wanted = read_json_argument(spec), str(called(kind, name, within))

        async def work() -> Document:
            # Looked up once, so that what is checked and what is changed are one object.
            wire = await here.client.documents(kind).wire_name(wanted)
            await check_change(here.client, kind, wire, fields)
            return plain(await here.client.collection(kind).patch(wire, fields))

        emit_one(here, kind, here.run(work()))

    patch.__doc__ = f"Change spec fields of one {kind.name}; null removes a field."
    return patch


def delete_command(kind: Kind[Any]) -> Callable[..., None]:
    """The `delete` command of a kind."""

    def delete(name: str = NAME, within: str = within_option(kind), yes: bool = YES) -> None:
        from rsspot.workflows.deletion import require_unprotected

        here = session()

        async def work() -> str:
            documents = here.client.documents(kind)
            wire = await documents.wire_name(name, within=within)
            await require_unprotected(here.client, here.reading_ledger, kind, wire)
            if not yes:
                confirm(f"delete {name}")
            # Once more: the question may have been on the screen for hours.
            uid = await require_unprotected(here.client, here.reading_ledger, kind, wire)
            await documents.delete(wire, uid=uid)
            return wire

        here.emit({"deleted": here.run(work())})

    delete.__doc__ = f"Delete one {kind.name}."
    return delete


def _parent_in(kind: Kind[Any], spec: Document) -> str:
    """The parent that the options of an `update` name: it tells objects of the same name apart."""
    return str(kind.parent_name(spec) or "")


def _lives_in(child: Kind[Any], kind: Kind[Any]) -> bool:
    return child.parent is not None and child.parent.kind == kind.name


def _create_all(here: CliSession, objects: list[NewObject]) -> None:
    """Create objects in this order. All are checked before the first one is sent."""

    async def work() -> list[Document]:
        client = here.client
        first, *_ = [whole_spec(each.kind, each.spec, here.region) for each in objects]
        for each in objects:
            # Those after the first one live in it, and it does not exist yet.
            await check_new(client, each.kind, each.spec, parent=None if each is objects[0] else first)
        created: list[Document] = []
        for each in objects:
            try:
                made = await client.collection(each.kind).create(each.name, each.spec, labels=each.labels)
            except RsspotError:
                for done in created:
                    print(f"created before the error: {done['kind']} {done['metadata']['name']}", file=sys.stderr)
                raise
            created.append(plain(made))
        return created

    created = [(each.kind, document) for each, document in zip(objects, here.run(work()), strict=True)]
    if len(created) > 1 and here.options.output in ("json", "yaml"):
        # One document, so that a program can read it.
        here.emit([without_secrets(kind, document) for kind, document in created])
        return
    for kind, document in created:
        emit_one(here, kind, document)


def _changes(kind: Kind[Any], wanted: Document, live: Document) -> Document:
    """The fields to send: an immutable one that has this value already is left out. Raises UsageError for another."""
    changes = dict(wanted)
    for path in kind.marked(IMMUTABLE):
        value, now = at_path(wanted, path), at_path(live, path)
        if len(path) != 1 or value is None:
            continue
        if kind.fields[path].canonical(value) != kind.fields[path].canonical(now):
            hint = "create another object, or let `rsspot apply` replace this one"
            has = "has none" if now is None else f"is {now!r}"
            raise UsageError(f"{kind.name}.{path[0]} cannot be changed later: the object {has}", hint=hint)
        del changes[path[0]]
    return changes


def _with_options(
    function: Callable[..., None],
    kind: Kind[Any],
    names: dict[str, tuple[str, ...]],
    more: list[Parameter],
    named_too: tuple[str, ...] = (),
) -> Callable[..., None]:
    """The function with an option for each field of the spec.

    names: other names of its own options · more: further options · named_too: further names of that of the parent
    """
    import copy

    own = []
    for each in signature(function, eval_str=True).parameters.values():
        if each.kind is Parameter.VAR_KEYWORD:
            continue
        default = copy.copy(each.default)
        if each.name in names:
            default.param_decls = names[each.name]
        own.append(each.replace(default=default, kind=Parameter.KEYWORD_ONLY))
    # `--region` is a global option already: it is the region of new objects.
    fields = [
        option.parameter(*(named_too if kind.parent and option.path == kind.parent.path else ()))
        for option in spec_options(kind)
        if option.option != "region"
    ]
    parameters = [*own, *fields, *more, *scaling_options(kind)]
    function.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    function.__annotations__ = {each.name: each.annotation for each in parameters}
    vars(function)[DESCRIPTIONS] = lambda: descriptions(kind)
    return function
