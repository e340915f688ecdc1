"""Manifests damaged at random: each is valid or refused with the place, in bounded time and memory, never a traceback.

`make chaos` tries 20,000 of them.
"""

from __future__ import annotations

import copy
import json
import random
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from rsspot.errors import ManifestError
from rsspot.manifests.formatting.layout import formatted
from rsspot.manifests.parse import load
from rsspot.reports.problems import render_problems
from rsspot.workflows.rendering import rendered
from support.amount import FULL, amount

ROOT = Path(__file__).parents[2]
OTHERS = {"kubernetes", "policies"}
EXAMPLES = (each for each in (ROOT / "examples").rglob("*.yaml") if OTHERS.isdisjoint(each.parts))
FILES = sorted([*(ROOT / "manifests").glob("*.yaml"), *EXAMPLES])
TEXTS = [file.read_text(encoding="utf-8") for file in FILES]
MANIFESTS = amount(200, 20_000)
SECONDS = 2.0
MEBIBYTES = 300
WORDS = "null no 1_000 2026-01-01 0x1F ٣ \u202e \x00 \ufeff e\u0301 😀 << %n !!python/object:os.system"
ODD: list[Any] = [
    *(None, True, False, 0, -1, 1.5, 10**40, -(10**400), 1e308, float("nan"), [], {}, [[]], {"a": None}, ["x"] * 200),
    *("", " ", "a" * 5000, "&a *a", "${var:x}", "${", "${file:/dev/zero}", "(secret)", "../../etc"),
    *WORDS.split(" "),
]
MARKS = "{ } [ ] : , - --- ... &a *a <<: !!str | > ' \" # \t %"
TOKENS = MARKS.split(" ")

Damage = Callable[[random.Random, str], bytes]


def bytes_of(dice: random.Random, text: str) -> bytes:
    """Some bytes are others, missing or twice."""
    content = bytearray(text.encode())
    for _ in range(dice.randint(1, 8)):
        place = dice.randrange(len(content))
        content[place : place + dice.randint(0, 3)] = dice.randbytes(dice.randint(0, 3))
    return bytes(content)


def tokens_of(dice: random.Random, text: str) -> bytes:
    """Words and marks in places where they do not belong."""
    words = text.split(" ")
    for _ in range(dice.randint(1, 5)):
        words.insert(dice.randrange(len(words)), dice.choice(TOKENS))
        place = dice.randrange(len(words))
        words[place] = dice.choice([words[dice.randrange(len(words))], "", dice.choice(TOKENS)])
    return " ".join(words).encode()


def lines_of(dice: random.Random, text: str) -> bytes:
    """Lines in another order, at another depth, twice or missing."""
    lines = text.splitlines(keepends=True)
    for _ in range(dice.randint(1, 4)):
        first, second = dice.randrange(len(lines)), dice.randrange(len(lines))
        lines[first], lines[second] = " " * dice.randint(0, 4) + lines[second].lstrip(" "), lines[first]
        lines[first : first + 1] = [lines[first]] * dice.randint(0, 2)
        if not lines:
            return b""
    return "".join(lines).encode()


def values_of(dice: random.Random, text: str) -> bytes:
    """Values of other types, in YAML or JSON: nulls, huge numbers, odd texts, other keys."""
    documents = [each for each in yaml.safe_load_all(text) if isinstance(each, dict)]
    for _ in range(dice.randint(1, 3)):
        holder, key = dice.choice(list(_places(dice.choice(documents))))
        holder[key] = copy.deepcopy(dice.choice(ODD))
        if isinstance(holder, dict) and dice.random() < 0.3:
            holder[str(dice.choice(ODD))[:50]] = holder.pop(key)
    dump = json.dumps(dice.choice(documents)) if dice.random() < 0.3 else yaml.safe_dump_all(documents)
    return dump.encode("utf-8", "surrogatepass")


def nesting_of(dice: random.Random, text: str) -> bytes:
    """Nesting without end, lists of lists, and aliases that unfold to more than there is memory."""
    depth = dice.choice([5, 60, 65, 500, 20_000])
    deep = dice.choice(
        [
            "[" * depth + "]" * depth,
            "{a: " * depth + "}" * depth,
            "- " * min(depth, 2000) + "x",
            "\n".join(" " * level + "a:" for level in range(min(depth, 500))),
            _aliases(dice.choice([1, 2, 2, 3, 3, 3, 3, 9])),
        ]
    )
    return text.replace("spec:", f"spec: {deep}\nx:", 1).encode()


def _aliases(levels: int) -> str:
    """Nine aliases of nine aliases of nine …"""
    nine = (f"k{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9) if n else 'x'}]" for n in range(levels))
    return f"{{{', '.join(nine)}}}"


DAMAGES: tuple[Damage, ...] = (bytes_of, tokens_of, lines_of, values_of, nesting_of)


def _places(value: Any) -> Any:
    """Every place in a document: what holds it, and its key or index."""
    for key, inner in list(value.items()) if isinstance(value, dict) else enumerate(value):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)


def damaged(seed: int) -> bytes:
    """The manifest of a seed: now and then damaged in two ways."""
    dice = random.Random(seed)
    content = dice.choice(DAMAGES)(dice, dice.choice(TEXTS))
    if dice.random() < 0.2:
        content = bytes_of(dice, content.decode("utf-8", "replace") or " ")
    return content


def read(file: Path) -> str:
    """What became of a file: valid, or refused with places that can be printed."""
    try:
        manifests = load([file], environ={}, variables={"region": "us-central-dfw-2", "x": "1"})
    except ManifestError as error:
        assert error.problems
        for problem in error.problems:
            assert problem.origin is not None and problem.origin.file == str(file), problem
            assert problem.origin.line >= 1 and problem.origin.column >= 1
        assert render_problems(error.problems)
        return "refused"
    assert all(each.as_yaml() for each in rendered(manifests))
    return "valid"


def laid_out(file: Path) -> None:
    """Laying it out ends too, and what it gives reads the same."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        return
    formatted(text, str(file))


@pytest.mark.timeout(6000)
def test_a_damaged_manifest_is_valid_or_refused_with_its_place(tmp_path: Path) -> None:
    """Never a traceback. How long one takes is measured only in `make chaos`, on a machine that does nothing else."""
    outcomes: Counter[str] = Counter()
    for seed in range(MANIFESTS):
        file = tmp_path / f"{seed % 10}.yaml"
        file.write_bytes(damaged(seed))
        began = time.process_time()
        try:
            outcomes[read(file)] += 1
            laid_out(file)
        except Exception as error:
            raise AssertionError(f"seed {seed}: {damaged(seed)[:2000]!r}") from error
        if FULL:
            assert time.process_time() - began < SECONDS, f"seed {seed}"
    assert outcomes["refused"] > MANIFESTS / 3 and outcomes["valid"] > MANIFESTS / 200, outcomes
    if FULL:
        print(dict(outcomes), f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


@pytest.mark.skipif(not FULL or sys.platform != "linux", reason="measures memory in a process of its own")
def test_damaged_manifests_fit_into_memory(tmp_path: Path) -> None:
    """What a process that reads many of them needs at most."""
    script = (
        "import resource, sys; from pathlib import Path; sys.path[:0] = sys.argv[2:]\n"
        "from chaos.test_mutated_manifests import damaged, read\n"
        "file = Path(sys.argv[1])\n"
        "for seed in range(2000):\n    file.write_bytes(damaged(seed)); read(file)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "a.yaml"), str(ROOT / "tests")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
    print(done.stdout)
    assert int(done.stdout) < MEBIBYTES
