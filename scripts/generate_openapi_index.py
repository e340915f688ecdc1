"""Index the operations of a stored OpenAPI document, and report differences from an older index. Fetches nothing.

Exit codes: 0 no difference, or nothing to compare; 1 unusable file; 2 differences; 3 usage error.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeAlias
from urllib.parse import unquote

from openapi_files import Unusable, canonical, document_of, publish

from rsspot.utils.text import printable

Entry: TypeAlias = dict[str, Any]

FORMAT = 1
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
GVK = "x-kubernetes-group-version-kind"
COMPARED = ("id", "summary", "kind", "parameters", "request", "responses")
NEEDED = {*COMPARED, "method", "path", "digest", "digests"}


class Document:
    """An OpenAPI document of version 2 or 3, with resolvable references."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._known: dict[str, tuple[str, tuple[str, ...]]] = {}

    def operations(self) -> Iterator[tuple[str, str, Entry, list[Entry]]]:
        """Path, method, operation and all its parameters, including those of the path."""
        for path, written in sorted(self._document["paths"].items()):
            item = self.followed(written)
            for method in METHODS:
                if isinstance(operation := item.get(method), dict):
                    yield path, method, operation, self._parameters(operation, item)

    def _parameters(self, operation: Entry, item: Entry) -> list[Entry]:
        given = [self.followed(each) for each in (*_several(item, "parameters"), *_several(operation, "parameters"))]
        return list({(str(each.get("in")), str(each.get("name"))): each for each in given}.values())

    def followed(self, value: Any) -> Entry:
        """An object, or the target of a reference; {} for a dangling reference."""
        seen = set()
        while isinstance(value, dict) and isinstance(reference := value.get("$ref"), str) and reference not in seen:
            seen.add(reference)
            value = self._target(reference)
        return value if isinstance(value, dict) else {}

    def digest(self, value: Any) -> str:
        """A digest of a value and of everything that it references. Handles circular references."""
        reached: dict[str, str] = {}
        waiting = list(_references(value))
        while waiting:
            if (reference := waiting.pop()) not in reached:
                reached[reference], further = self._about(reference)
                waiting.extend(further)
        return _digest([value, reached])

    def _about(self, reference: str) -> tuple[str, tuple[str, ...]]:
        if reference not in self._known:
            target = self._target(reference)
            self._known[reference] = _digest(target), tuple(_references(target))
        return self._known[reference]

    def _target(self, reference: str) -> Any:
        if not reference.startswith("#/"):
            return None
        found: Any = self._document
        for part in unquote(reference[2:]).split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            found = found.get(key) if isinstance(found, dict) else None
        return found


def index_of(document: Mapping[str, Any]) -> Entry:
    """The index of a document: its operations, sorted by path and method."""
    whole = Document(document)
    return {"format": FORMAT, "operations": [_entry(whole, *found) for found in whole.operations()]}


def _entry(document: Document, path: str, method: str, operation: Entry, parameters: list[Entry]) -> Entry:
    bodies = [each for each in parameters if each.get("in") == "body"] + [operation.get("requestBody")]
    others = sorted((each for each in parameters if each.get("in") != "body"), key=_spelling)
    answers = operation.get("responses")
    responses = answers if isinstance(answers, dict) else {}
    summary = operation.get("summary") or operation.get("description") or ""
    rest = {name: value for name, value in operation.items() if name != "parameters"}
    return {
        "id": operation.get("operationId") or f"{method} {path}",
        "method": method,
        "path": path,
        "summary": str(summary).partition("\n")[0],
        "kind": _kind(operation.get(GVK)),
        "parameters": sorted(str(each.get("name")) for each in others),
        "request": _schemas(document, bodies),
        "responses": {str(code): _schemas(document, [each]) for code, each in sorted(responses.items())},
        "digest": document.digest([rest, others, bodies]),
        "digests": {
            "parameters": document.digest(others),
            "request": document.digest(bodies),
            "responses": document.digest(responses),
        },
    }


def _kind(gvk: Any) -> str:
    """The apiVersion and kind of an operation, as in a manifest."""
    if not isinstance(gvk, dict):
        return ""
    group, version = gvk.get("group"), gvk.get("version")
    return f"{f'{group}/{version}' if group else version} {gvk.get('kind')}"


def _schemas(document: Document, bodies: list[Any]) -> list[str]:
    """The names of the schemas of requests or responses, from version 2 (`schema`) or 3 (`content`)."""
    followed = [document.followed(body) for body in bodies]
    contents = [body.get("content") for body in followed]
    media = [each for content in contents if isinstance(content, dict) for each in content.values()]
    schemas = (each.get("schema") for each in (*followed, *media) if isinstance(each, dict))
    return sorted({_name(schema) for schema in schemas if isinstance(schema, dict)})


def _name(schema: Entry) -> str:
    if isinstance(reference := schema.get("$ref"), str):
        return reference.rpartition("/")[2]
    if isinstance(items := schema.get("items"), dict):
        return f"[{_name(items)}]"
    return str(schema.get("type") or "any")


def _references(value: Any) -> Iterator[str]:
    """Every reference within a value. A property named $ref, whose value is no string, does not count."""
    if isinstance(value, dict):
        if isinstance(reference := value.get("$ref"), str):
            yield reference
        value = list(value.values())
    for each in value if isinstance(value, list) else ():
        yield from _references(each)


def _spelling(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _digest(value: Any) -> str:
    return hashlib.sha256(_spelling(value).encode()).hexdigest()


def _several(holder: Entry, name: str) -> list[Any]:
    found = holder.get(name)
    return found if isinstance(found, list) else []


def difference(old: Entry, new: Entry) -> Entry:
    """The operations added, removed and changed between two indexes."""
    before, after = _by_place(old), _by_place(new)
    changed = [
        {**_place(after[place]), "changes": changes}
        for place in sorted(before.keys() & after.keys())
        if (changes := _changes(before[place], after[place]))
    ]
    return {
        "added": [_place(after[place]) for place in sorted(after.keys() - before.keys())],
        "removed": [_place(before[place]) for place in sorted(before.keys() - after.keys())],
        "changed": changed,
    }


def _by_place(index: Entry) -> dict[tuple[str, str], Entry]:
    return {(entry["path"], entry["method"]): entry for entry in index["operations"]}


def _place(entry: Entry) -> Entry:
    return {name: entry[name] for name in ("id", "method", "path")}


def _changes(old: Entry, new: Entry) -> dict[str, str]:
    """The changed parts of an operation, with a description of each change."""
    found = {part: _change(old[part], new[part]) for part in COMPARED if old[part] != new[part]}
    for part, now in new["digests"].items():
        if part not in found and old["digests"][part] != now:
            found[part] = "what they are made of"
    if not found and old["digest"] != new["digest"]:
        found["other"] = "media types, tags, security or the like"
    return found


def _change(old: Any, new: Any) -> str:
    if not isinstance(old, list):
        return f"{_told(old)} -> {_told(new)}"
    gone, come = [f"-{each}" for each in old if each not in new], [f"+{each}" for each in new if each not in old]
    return " ".join([*gone, *come]) or "their number"


def _told(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{code} {' '.join(names) or 'nothing'}" for code, names in value.items()) or "nothing"
    return str(value) or "nothing"


def text_of(report: Entry) -> str:
    """A report for a terminal."""
    lines = []
    for sign, group in (("+", "added"), ("-", "removed"), ("~", "changed")):
        for each in report[group]:
            lines.append(f"{sign} {each['method'].upper()} {each['path']} ({each['id']})")
            lines += [f"    {part}: {change}" for part, change in each.get("changes", {}).items()]
    counts = ", ".join(f"{len(report[group])} {group}" for group in ("added", "removed", "changed"))
    return _joined([*lines, counts if lines else "no difference"])


def markdown_of(report: Entry) -> str:
    """A report for a pull request."""
    lines = []
    for group in ("added", "removed", "changed"):
        if report[group]:
            lines += [f"## {group.title()} ({len(report[group])})", ""]
            for each in report[group]:
                lines.append(f"- `{each['method'].upper()} {each['path']}` ({each['id']})")
                lines += [f"  - {part}: {change}" for part, change in each.get("changes", {}).items()]
            lines.append("")
    return _joined(lines[:-1] or ["No difference."])


def _joined(lines: list[str]) -> str:
    return "".join(f"{printable(line)}\n" for line in lines)


FORMATS = {"text": text_of, "json": canonical, "markdown": markdown_of}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. arguments: those of the process if left out"""
    options = _options(arguments)
    try:
        # Read the older index first: it may be the output file.
        old = _index_in(options.against) if options.against else None
        new = index_of(document_of(options.input.read_bytes()))
        publish(options.output, canonical(new))
    except (Unusable, RecursionError) as why:
        print(f"nothing was written: {why}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    if old is None:
        print(f"{options.output}: {len(new['operations'])} operations")
        return 0
    report = difference(old, new)
    sys.stdout.write(FORMATS[options.format](report))
    return 2 if any(report.values()) else 0


def _index_in(path: Path) -> Entry:
    try:
        found = json.loads(path.read_bytes())
    except ValueError:
        found = None
    entries = found.get("operations") if isinstance(found, dict) and found.get("format") == FORMAT else None
    if not isinstance(entries, list) or not all(isinstance(each, dict) and each.keys() >= NEEDED for each in entries):
        raise Unusable(f"{path} is no index of format {FORMAT}")
    return {"operations": entries}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(3, f"{self.prog}: {message}\n")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    kept = Path("openapi")
    parser = _Parser(description="List the operations of a kept OpenAPI document.")
    parser.add_argument("--input", type=Path, default=kept / "openapi.json", help="default: %(default)s")
    parser.add_argument("--output", type=Path, default=kept / "openapi_index.json", help="default: %(default)s")
    parser.add_argument("--against", type=Path, metavar="OLD_INDEX", help="report the differences from this one")
    parser.add_argument("--format", choices=FORMATS, default="text", help="of the report; default: %(default)s")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
