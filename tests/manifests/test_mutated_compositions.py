"""Random damage to a composition of several files: it is read, or refused with places, and never a traceback."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rsspot.errors import ManifestError
from rsspot.manifests.parse import load
from support.amount import amount
from support.folders import CLOUDSPACE, POOL, STACK, written

BASE = f"""\
{STACK.replace("demo", "base")}spec:
  variables:
    sizes: {{type: list, default: [a, b], allowed: [a, b, c]}}
    count: {{type: number, required: true, description: How many.}}
    on: {{type: boolean, default: true}}
    plain: {{a: 1, type: x}}
"""
POOLS = POOL.replace("metadata:", "matrix:\n  size: ${var:sizes}\n  include: [{size: c, more: 1}]\nmetadata:").replace(
    "name: workers", "name: w-${matrix:size}-${matrix:more:-0}"
).replace("desired: 2", "desired: ${var:count}")  # fmt: skip
STAGING = f"""\
{STACK}spec:
  include: [../base]
  variables: {{count: 2}}
---
apiVersion: rsspot.dev/v1
kind: Overlay
metadata: {{name: one}}
spec:
  target: {{kind: '*NodePool', name: w-a-*}}
  merge:
    metadata: {{labels: {{size: '${{matrix:size}}', note: '${{file:note.txt}}'}}}}
    spec: {{desired: 3, customLabels: {{x: y}}}}
---
apiVersion: rsspot.dev/v1
kind: Overlay
metadata: {{name: two}}
spec:
  target: {{name: edge/w-*}}
  patch:
    - {{op: add, path: /spec/customTaints, value: [{{key: a, effect: NoExecute}}]}}
    - {{op: test, path: /spec/customTaints/0/key, value: a}}
    - {{op: copy, from: /spec/customTaints/0, path: /spec/customTaints/-}}
    - {{op: replace, path: /spec/customTaints/1/key, value: b}}
    - {{op: move, from: /spec/bidPrice, path: /spec/bidPrice}}
"""
FILES = {
    "base/stack.yaml": BASE,
    "base/edge.yaml": CLOUDSPACE,
    "base/pools.yaml": POOLS,
    "over/a.yaml": STAGING,
    "over/note.txt": "hello\n",
    "vars.yaml": "count: 4\nsizes: [a, c]\n",
}
PATHS, VARIABLES = [Path("base"), Path("over")], [Path("vars.yaml")]
WORDS = [
    *("null", "~", "true", "3", "-1", "0.5", "''", "[]", "{}", "[[]]", "{a: {b: c}}", "- x", "? x", "&a", "*a"),
    *("<<: {}", "!!int x", "${", "$${", "${var:", "${var:count}", "${var:sizes}", "${matrix:size}", "${env:HOME}"),
    *("${file:../base/edge.yaml}", "${file:.}", "include", "matrix", "variables", "merge", "patch", "target", "kind"),
    *("name", "Stack", "Overlay", "/", "/spec", "~2", "-", "/spec/customTaints/99999999999", "../over", "."),
    *("../base/pools.yaml", "\0", "\t", "é", "\U0001f600", "add", "remove", "test", "copy", "move", "type", "default"),
    *("required", "allowed", "list", "*", "[", "w-*", "---\n", "\n"),
]


def damaged(text: str, random_: random.Random) -> str:
    """A text after one mistake: a word replaced, a line lost, moved or doubled, a character added or taken away."""
    lines = text.splitlines(keepends=True)
    place = random_.randrange(len(lines))
    tokens = lines[place].split(" ")
    match random_.randrange(6):
        case 0:
            tokens[random_.randrange(len(tokens))] = random_.choice(WORDS) + random_.choice(["", "\n"])
            lines[place] = " ".join(tokens)
        case 1:
            del lines[place]
        case 2:
            lines.insert(random_.randrange(len(lines)), lines[place])
        case 3:
            column = random_.randrange(len(lines[place]) + 1)
            lines[place] = lines[place][:column] + random_.choice(WORDS) + lines[place][column:]
        case 4:
            column = random_.randrange(len(lines[place]) + 1)
            lines[place] = lines[place][:column] + lines[place][column + 1 :]
        case _:
            head, colon, _ = lines[place].partition(":")
            lines[place] = f"{head}{colon} {random_.choice(WORDS)}\n"
    return "".join(lines)


@pytest.mark.usefixtures("folder")
@settings(max_examples=amount(30, 20_000), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32))
def test_whatever_is_damaged_is_read_or_refused_with_a_place(seed: int) -> None:
    """One to four mistakes in one or more files."""
    random_ = random.Random(seed)
    files = dict(FILES)
    for _ in range(random_.randrange(1, 5)):
        name = random_.choice(list(files))
        files[name] = damaged(files[name] or "\n", random_)
    written(files)
    try:
        manifests = load(PATHS, variable_files=VARIABLES, environ={"HOME": "/h"}, strict=True)
    except ManifestError as error:
        assert error.problems
        assert all(problem.origin is not None for problem in error.problems)
    else:
        assert manifests.manifests


@pytest.mark.usefixtures("folder")
def test_undamaged_it_is_read() -> None:
    """Otherwise the mistakes would not be what is refused."""
    written(FILES)
    manifests = load(PATHS, variable_files=VARIABLES, environ={}, strict=True)
    assert [each.name for each in manifests.manifests] == ["edge", "w-a-0", "w-c-0", "w-c-1"]
    assert manifests.manifests[1].body["metadata"]["labels"] == {"size": "a", "note": "hello"}
