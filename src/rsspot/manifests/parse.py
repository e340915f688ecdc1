"""Documents to manifests: validates each against its kind and reports every problem with its place. Sends nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from rsspot.constants import LOCAL_API_VERSION, NAME_ANNOTATION, STACK_LABEL
from rsspot.errors import ManifestError, Origin, Problem
from rsspot.manifests.files import find_files
from rsspot.manifests.leaks import unsendable
from rsspot.manifests.manifest import Manifest, ManifestSet
from rsspot.manifests.source import Place, Source, read_sources
from rsspot.manifests.stack import DEFAULT_STACK, Stack, StackSpec
from rsspot.manifests.variables import Variables, expand
from rsspot.models.authoring import AUTHORING
from rsspot.models.fields import COMMAND, SERVER_OWNED
from rsspot.models.findings import findings
from rsspot.models.refs import DNS_LABEL
from rsspot.models.resource import AuthoredMetadata, Metadata, models_in
from rsspot.resources.kind import Kind
from rsspot.resources.registry import kinds
from rsspot.utils.text import did_you_mean

BOOKKEEPING = (STACK_LABEL, NAME_ANNOTATION, "kubectl.kubernetes.io/last-applied-configuration")
"""Labels and annotations that rsspot and kubectl write themselves: ignored, so that live objects can be manifests."""
SERVERS_METADATA = ("managedFields", "ownerReferences", "selfLink", "deletionGracePeriodSeconds", "generateName")
"""Metadata that only a server writes, besides what the model knows."""
TOP_KEYS = ("apiVersion", "kind", "metadata", "spec", "status")


def load(
    paths: Sequence[Path], *, variables: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None
) -> ManifestSet:
    """Read manifests from files and directories. Raises ManifestError with every problem found."""
    hidden: list[Path] = []
    files, problems = find_files(paths, hidden)
    sources, unreadable = read_sources(files)
    problems += unreadable
    given = Variables(variables or {}, os.environ if environ is None else environ)
    stack, stack_problems = _stack(sources, given)
    problems += stack_problems
    values = replace(given, values={**stack.spec.variables, **given.values})
    manifests, foreign = [], []
    for source in sources:
        if _is_stack(source):
            continue
        if not source.named and (what := _foreign(source)):
            foreign.append(f"{source.origin()}: {what} is not rsspot's")
            continue
        missing = expand(source, values)
        wrong: list[Problem] = []
        manifest = _manifest(source, wrong)
        # A missing variable is one problem, not also an invalid price or name.
        unknown = {problem.origin for problem in missing}
        problems += missing + [problem for problem in wrong if problem.origin not in unknown]
        if manifest is not None and not missing:
            manifests.append(manifest)
    problems += _duplicates(manifests)
    if not problems and not manifests:
        places = ", ".join(map(str, paths))
        problems.append(Problem("no manifests here except for a Stack", Origin(places)))
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
        variables=frozenset(given.used | {*stack.spec.variables}),
        stack_spec=stack.spec,
        stack_origins=next((source.marks for source in sources if _is_stack(source)), {}),
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
    problems = [Problem("a second Stack: a run has only one", source.origin()) for source in stacks[1:]]
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
        return nothing, problems + list(_explain(error, Stack, source, ()))
    if stack.api_version != LOCAL_API_VERSION:
        message = f"wrong apiVersion {stack.api_version!r}"
        problems.append(Problem(message, source.origin(("apiVersion",)), f"Stack is {LOCAL_API_VERSION}"))
    if not DNS_LABEL.fullmatch(stack.name):
        problems.append(_bad_name(stack.name, source))
    return stack, problems


def _manifest(source: Source, problems: list[Problem]) -> Manifest | None:
    before = len(problems)
    document = source.value
    if not isinstance(document, dict):
        problems.append(Problem("a manifest is a mapping with apiVersion, kind, metadata and spec", source.origin()))
        return None
    kind = _kind(source, problems)
    for key in document:
        if key not in TOP_KEYS:
            problems.append(_unknown_field(key, source.origin((key,)), TOP_KEYS))
    if kind is None:
        return None
    metadata = _metadata(source, problems)
    spec = _spec(kind, source, problems)
    problems += unsendable(kind, source)
    if len(problems) > before:
        return None
    body = {"metadata": metadata, "spec": _resolve_programs(kind, spec, source)}
    name, namespace = document["metadata"]["name"], document["metadata"].get("namespace")
    return Manifest(
        kind,
        str(name),
        body,
        source.origin(("metadata", "name")),
        namespace=str(namespace) if namespace else None,
        origins=source.marks,
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
        problems.append(Problem(message, source.origin(("kind",)), hint))
    elif version != kind.api_version:
        message = f"wrong apiVersion {version!r}" if version else "missing field 'apiVersion'"
        problems.append(Problem(message, source.origin(("apiVersion",)), f"{kind.name} is {kind.api_version}"))
    return kind


def _metadata(source: Source, problems: list[Problem]) -> dict[str, Any]:
    """The labels and annotations as written.

    What only a server writes is ignored, so that its output can be a manifest.
    """
    written = source.value.get("metadata")
    if not isinstance(written, dict):
        problems.append(Problem("missing field 'metadata'", source.origin(("metadata",))))
        return {}
    servers = {info.alias or name for name, info in Metadata.model_fields.items()} | {*SERVERS_METADATA}
    ours = {info.alias or name for name, info in AuthoredMetadata.model_fields.items()}
    kept = {key: value for key, value in written.items() if key in ours or key not in servers}
    metadata = _validate(AuthoredMetadata, kept, source, ("metadata",), problems)
    if metadata and not DNS_LABEL.fullmatch(str(metadata["name"])):
        problems.append(_bad_name(str(metadata["name"]), source))
    return {
        key: {name: value for name, value in metadata[key].items() if name not in BOOKKEEPING}
        for key in ("labels", "annotations")
        if key in metadata
    }


def _bad_name(name: str, source: Source) -> Problem:
    rule = "a name is at most 63 lowercase letters, digits and dashes, and starts and ends with a letter or digit"
    return Problem(f"bad name {name!r}", source.origin(("metadata", "name")), rule)


def _spec(kind: Kind[Any], source: Source, problems: list[Problem]) -> dict[str, Any]:
    written = source.value.get("spec")
    if not isinstance(written, dict):
        problems.append(Problem("missing field 'spec'", source.origin(("spec",))))
        return {}
    servers = {path[0] for path in kind.marked(SERVER_OWNED) if len(path) == 1}
    kept = {key: value for key, value in written.items() if key not in servers}
    return _validate(kind.spec_model, kept, source, ("spec",), problems)


def _validate(
    model: type[BaseModel], written: Any, source: Source, above: Place, problems: list[Problem]
) -> dict[str, Any]:
    try:
        valid = model.model_validate(written, extra="forbid", by_name=False, by_alias=True, context=AUTHORING)
    except ValidationError as error:
        problems += _explain(error, model, source, above)
        return {}
    return valid.model_dump(by_alias=True, exclude_unset=True)


def _explain(error: ValidationError, model: type[BaseModel], source: Source, above: Place) -> Iterator[Problem]:
    """Findings as problems, each at the place where the value was written."""
    for finding in findings(error):
        path = (*above, *finding.path)
        field = str(finding.path[-1]) if finding.path else ""
        if finding.type == "missing":
            yield Problem(f"missing field {field!r}", source.origin(path))
        elif finding.type == "extra_forbidden":
            yield _unknown_field(field, source.origin(path), _fields_at(model, finding.path[:-1]))
        else:
            yield Problem(f"{'.'.join(map(str, path))}: {finding.clause}", source.origin(path))


def _unknown_field(name: str, origin: Origin, known: Sequence[str]) -> Problem:
    return Problem(f"unknown field {name!r}", origin, did_you_mean(name, known), quotable=False)


def _fields_at(model: type[BaseModel], loc: Place) -> list[str]:
    """The names a mapping inside a model may have."""
    for part in loc:
        if isinstance(part, int):
            continue
        info = next((i for n, i in model.model_fields.items() if (i.alias or n) == part), None)
        inner = models_in(info.annotation) if info else []
        if not inner:
            return []
        model = inner[0]
    return [info.alias or name for name, info in model.model_fields.items()]


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
            yield Problem(f"{manifest.address} is declared twice", manifest.origin, f"first at {earlier.origin}")
