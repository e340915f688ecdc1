"""Documents to manifests: validates each against its kind and reports every problem with its place. Sends nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rsspot.constants import LOCAL_API_VERSION, NAME_ANNOTATION, ON_REMOVE_ANNOTATION, STACK_LABEL
from rsspot.errors import ManifestError, Origin, Problem
from rsspot.manifests.annotations import take_lifecycle, unknown_defaults, with_defaults
from rsspot.manifests.defaults import RegionOf, defaults_of
from rsspot.manifests.files import find_files
from rsspot.manifests.leaks import unsendable
from rsspot.manifests.lifecycle import Lifecycle
from rsspot.manifests.manifest import Default, Manifest, ManifestSet
from rsspot.manifests.rules import ManifestRule
from rsspot.manifests.source import Source, read_sources
from rsspot.manifests.stack import DEFAULT_STACK, Defaults, Stack, StackSpec
from rsspot.manifests.validation import explained, missing_field, unknown_field, validated
from rsspot.manifests.variables import Variables, expand
from rsspot.models.authoring import AUTHORING
from rsspot.models.fields import COMMAND, SERVER_OWNED
from rsspot.models.refs import DNS_LABEL
from rsspot.models.resource import AuthoredMetadata, Metadata
from rsspot.resources.kind import Kind, is_controlled
from rsspot.resources.kind import Path as SpecPath
from rsspot.resources.registry import kinds
from rsspot.utils.text import did_you_mean

BOOKKEEPING = (STACK_LABEL, NAME_ANNOTATION, "kubectl.kubernetes.io/last-applied-configuration")
"""Labels and annotations that rsspot and kubectl write themselves: ignored, so that live objects can be manifests."""
SERVERS_METADATA = ("managedFields", "ownerReferences", "selfLink", "deletionGracePeriodSeconds", "generateName")
"""Metadata that only a server writes, besides what the model knows."""
TOP_KEYS = ("apiVersion", "kind", "metadata", "spec", "status")


def load(
    paths: Sequence[Path],
    *,
    variables: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    region: RegionOf = lambda _: None,
) -> ManifestSet:
    """Read manifests from files and directories. Raises ManifestError with every problem found.

    region: the region of new objects that name none; asked at most once, with the profile that the Stack names
    """
    hidden: list[Path] = []
    files, problems = find_files(paths, hidden)
    sources, unreadable = read_sources(files)
    problems += unreadable
    given = Variables(variables or {}, os.environ if environ is None else environ)
    stack, stack_problems = _stack(sources, given)
    problems += stack_problems
    values = replace(given, values={**stack.spec.variables, **given.values})
    region_of_set = cache(lambda: region(stack.spec.profile))
    manifests, foreign, controlled = [], [], []
    for source in sources:
        if _is_stack(source):
            continue
        if not source.named and (what := _foreign(source)):
            foreign.append(f"{source.origin()}: {what} is not rsspot's")
            continue
        if is_controlled(source.value):
            controlled.append(f"{source.origin(('metadata', 'name'))}: the service manages this object for another one")
            continue
        missing = expand(source, values)
        wrong: list[Problem] = []
        manifest = _manifest(source, stack.spec.defaults, wrong, region_of_set)
        # A missing variable is one problem, not also an invalid price or name.
        unknown = {problem.origin for problem in missing}
        problems += missing + [problem for problem in wrong if problem.origin not in unknown]
        if manifest is not None and not missing:
            manifests.append(manifest)
    problems += _duplicates(manifests)
    if not problems and not manifests:
        places = ", ".join(map(str, paths))
        problems.append(Problem("no manifests here except for a Stack", Origin(places), rule=ManifestRule.FILE))
    if problems:
        raise ManifestError(problems, hint="nothing was sent")
    return ManifestSet(
        stack.name,
        tuple(manifests),
        tuple(str(file.path) for file in files),
        stack.spec.limits,
        stack.spec.organization,
        stack.spec.profile,
        named=any(_is_stack(source) for source in sources),
        foreign=tuple(foreign),
        hidden=tuple(map(str, hidden)),
        controlled=tuple(controlled),
        declared=tuple(source.value for source in sources if _is_stack(source)),
        variables=frozenset(given.used | {*stack.spec.variables}),
    )


def _is_stack(source: Source) -> bool:
    return isinstance(source.value, dict) and source.value.get("kind") == "Stack"


def _foreign(source: Source) -> str | None:
    """What a document is that another tool reads; None for one that is ours, or may be meant to be.

    Only documents in a searched folder may be foreign: a file that is named has to be ours.
    """
    kind, version = (
        (source.value.get(key) for key in ("kind", "apiVersion")) if isinstance(source.value, dict) else ("", "")
    )
    if not isinstance(kind, str) or not isinstance(version, str) or kind in kinds():
        return None
    group = version.rpartition("/")[0]
    ours = {known.api_version.rpartition("/")[0] for known in kinds().values()}
    alike = did_you_mean(group, ours) or did_you_mean(kind, kinds())
    return None if group in ours or alike else f"the {kind} ({version})"


def _stack(sources: Sequence[Source], variables: Variables) -> tuple[Stack, list[Problem]]:
    stacks = [source for source in sources if _is_stack(source)]
    problems = [
        Problem("a second Stack: a run has only one", source.origin(), rule=ManifestRule.STACK) for source in stacks[1:]
    ]
    nothing = Stack(
        api_version=LOCAL_API_VERSION, kind="Stack", metadata=AuthoredMetadata(name=DEFAULT_STACK), spec=StackSpec()
    )
    if not stacks:
        return nothing, problems
    source = stacks[0]
    problems += expand(source, variables)
    try:
        stack = Stack.model_validate(source.value, extra="forbid", by_name=False, context=AUTHORING)
    except ValidationError as error:
        return nothing, problems + list(explained(error, Stack, source, ()))
    if stack.api_version != LOCAL_API_VERSION:
        message = f"wrong apiVersion {stack.api_version!r}"
        hint = f"Stack is {LOCAL_API_VERSION}"
        problems.append(Problem(message, source.origin(("apiVersion",)), hint, ManifestRule.API_VERSION))
    if not DNS_LABEL.fullmatch(stack.name):
        problems.append(_bad_name(stack.name, source))
    problems += unknown_defaults(stack.spec.defaults, authored_kinds().values(), source)
    return stack, problems


def _manifest(
    source: Source, of_stack: Defaults, problems: list[Problem], region: Callable[[], Default | None]
) -> Manifest | None:
    before = len(problems)
    document = source.value
    if not isinstance(document, dict):
        message = "a manifest is a mapping with apiVersion, kind, metadata and spec"
        problems.append(Problem(message, source.origin(), rule=ManifestRule.VALUE))
        return None
    kind = _kind(source, problems)
    for key in document:
        if key not in TOP_KEYS:
            problems.append(unknown_field(key, source.origin((key,)), TOP_KEYS))
    if kind is None:
        return None
    metadata, lifecycle = _metadata(kind, source, problems)
    defaults = defaults_of(kind, source, region)
    spec = _spec(kind, source, problems, defaults)
    problems += unsendable(kind, source)
    if len(problems) > before:
        return None
    lifecycle = with_defaults(lifecycle, kind, of_stack)
    body = {"metadata": _with_protection(metadata, lifecycle, kind), "spec": _resolve_programs(kind, spec, source)}
    name, namespace = document["metadata"]["name"], document["metadata"].get("namespace")
    return Manifest(
        kind,
        str(name),
        body,
        source.origin(("metadata", "name")),
        namespace=str(namespace) if namespace else None,
        origins=source.marks,
        lifecycle=lifecycle,
        defaults=defaults,
    )


def authored_kinds() -> dict[str, Kind[Any]]:
    """The kinds that users write manifests of, by name. A Stack is no object, and none of them."""
    return {name: kind for name, kind in kinds().items() if kind.authored and (kind.manageable or kind.expand)}


def _kind(source: Source, problems: list[Problem]) -> Kind[Any] | None:
    known = authored_kinds()
    name, version = source.value.get("kind"), source.value.get("apiVersion")
    kind = known.get(name) if isinstance(name, str) else None
    if kind is None:
        message = "missing field 'kind'" if name is None else f"unknown kind {name!r}"
        hint = did_you_mean(str(name), known) or f"kinds: {', '.join(sorted([*known, 'Stack']))}"
        problems.append(Problem(message, source.origin(("kind",)), hint, ManifestRule.KIND))
    elif version != kind.api_version:
        message = f"wrong apiVersion {version!r}" if version else "missing field 'apiVersion'"
        hint = f"{kind.name} is {kind.api_version}"
        problems.append(Problem(message, source.origin(("apiVersion",)), hint, ManifestRule.API_VERSION))
    return kind


def _metadata(kind: Kind[Any], source: Source, problems: list[Problem]) -> tuple[dict[str, Any], Lifecycle]:
    """The labels and annotations as written, and what annotations of ours say about the object's life.

    What only a server writes is ignored, so that its output can be a manifest.
    """
    written = source.value.get("metadata")
    if not isinstance(written, dict):
        problems.append(missing_field("metadata", source.origin(("metadata",))))
        return {}, Lifecycle()
    lifecycle = Lifecycle()
    if isinstance(annotations := written.get("annotations"), dict):
        annotations = dict(annotations)
        lifecycle = take_lifecycle(kind, annotations, source, problems)
        written = {**written, "annotations": annotations}
    servers = {info.alias or name for name, info in Metadata.model_fields.items()} | {*SERVERS_METADATA}
    ours = {info.alias or name for name, info in AuthoredMetadata.model_fields.items()}
    kept = {key: value for key, value in written.items() if key in ours or key not in servers}
    metadata = validated(AuthoredMetadata, kept, source, ("metadata",), problems)
    if metadata and not DNS_LABEL.fullmatch(str(metadata["name"])):
        problems.append(_bad_name(str(metadata["name"]), source))
    sent: dict[str, Any] = {
        key: {name: value for name, value in metadata[key].items() if name not in BOOKKEEPING}
        for key in ("labels", "annotations")
        if key in metadata
    }
    return sent, lifecycle


def _with_protection(metadata: dict[str, Any], lifecycle: Lifecycle, kind: Kind[Any]) -> dict[str, Any]:
    """The metadata with what becomes of the object, which goes to the service also where the Stack says it."""
    annotations = metadata.get("annotations", {})
    if lifecycle.on_remove is None or kind.local or kind.expand or ON_REMOVE_ANNOTATION in annotations:
        return metadata
    return {**metadata, "annotations": {**annotations, ON_REMOVE_ANNOTATION: lifecycle.on_remove.value}}


def _bad_name(name: str, source: Source) -> Problem:
    rule = "a name is at most 63 lowercase letters, digits and dashes, and starts and ends with a letter or digit"
    return Problem(f"bad name {name!r}", source.origin(("metadata", "name")), rule, ManifestRule.NAME)


def _spec(
    kind: Kind[Any], source: Source, problems: list[Problem], defaults: Mapping[SpecPath, Default]
) -> dict[str, Any]:
    """The spec as written, once it is valid together with what it gets from the settings."""
    written = source.value.get("spec")
    if not isinstance(written, dict):
        problems.append(missing_field("spec", source.origin(("spec",))))
        return {}
    servers = {path[0] for path in kind.marked(SERVER_OWNED) if len(path) == 1}
    given = {path[0]: default.value for path, default in defaults.items()}
    kept = {**given, **{key: value for key, value in written.items() if key not in servers}}
    spec = validated(kind.spec_model, kept, source, ("spec",), problems)
    return {key: value for key, value in spec.items() if key not in given}


def _resolve_programs(kind: Kind[Any], spec: dict[str, Any], source: Source) -> dict[str, Any]:
    """Resolve programs that are given relative to the manifest."""
    for path in kind.marked(COMMAND):
        *parents, last = path
        holder: Any = spec
        for part in parents:
            holder = holder.get(part) if isinstance(holder, dict) else None
        command = holder.get(last) if isinstance(holder, dict) else None
        if command and command[0].startswith(("./", "../")):
            # Absolute, so that a saved plan which is applied from another folder does not run that folder's program.
            holder[last] = [os.path.abspath(Path(source.file).parent / command[0]), *command[1:]]  # noqa: PTH100
    return spec


def _duplicates(manifests: Sequence[Manifest]) -> Iterator[Problem]:
    first: dict[str, Manifest] = {}
    for manifest in manifests:
        earlier = first.setdefault(manifest.address, manifest)
        if earlier is not manifest:
            yield Problem(
                f"{manifest.address} is declared twice",
                manifest.origin,
                f"first at {earlier.origin}",
                ManifestRule.DUPLICATE,
            )
