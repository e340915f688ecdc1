"""evaluate(): policies against what they may look at, in a process whose time and memory are bounded.

Expressions come from a repository, so they are not trusted: nothing that they do may hang or exhaust this process.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rsspot.errors import ManifestError
from rsspot.planner.change import Change
from rsspot.planner.policy import MOST_FINDINGS, Policy, PolicyResult, Violation
from rsspot.utils.children import ProgramEnd, run_program
from rsspot.utils.serialization import Document, without_surrogates

LIBRARY = "cel"
INSTALL = "pip install 'rsspot[policy]'"
MISSING = f"the library that evaluates policies is not installed; run: {INSTALL}"
SECONDS = 60.0
"""For all policies of a plan together, and as many more as its size may need on a slow machine."""
SECONDS_EACH = 0.002
"""For each policy and change."""
MEMORY = 2 * 1024**3
"""Bytes."""
WORKER = Path(__file__).with_name("worker.py")


def evaluate(
    policies: Sequence[Policy],
    variables: Document,
    changes: Sequence[Change],
    *,
    seconds: float | None = None,
    memory: int = MEMORY,
    only_compile: bool = False,
) -> tuple[PolicyResult, ...]:
    """What comes of each policy. variables: of `variables_of` · changes: those in it

    only_compile: whether to see only that each can be understood

    Never raises for what an expression does: a policy that cannot be evaluated has a failure.
    """
    seconds = seconds or SECONDS + SECONDS_EACH * len(policies) * len(changes)
    library = library_folder()
    if library is None:
        return tuple(PolicyResult(each, failure=MISSING) for each in policies)
    expressions = [each.expression for each in policies]
    given = {"path": library, "memory": memory, "most": MOST_FINDINGS, "compile": only_compile}
    told = json.dumps({**given, "expressions": expressions, **variables}, ensure_ascii=False)
    # Without variables of the environment that would let it load other code, and without our credentials.
    command = [sys.executable, "-E", "-P", "-B", str(WORKER)]
    try:
        ended = run_program(command, without_surrogates(told).encode(), timeout=seconds, environ={}, keep_output=True)
    except OSError as error:
        failure = f"the process that evaluates policies cannot be started: {error.strerror}"
        return tuple(PolicyResult(each, failure=failure) for each in policies)
    return tuple(_results(policies, changes, ended, seconds))


def check(policies: Sequence[Policy]) -> str | None:
    """Why policies could not be checked, if that is so. Raises ManifestError for those that cannot be understood."""
    if not policies:
        return None
    if library_folder() is None:
        return f"the policies are not checked: {MISSING}"
    results = evaluate(policies, {}, (), only_compile=True)
    problems = [problem for each in results for problem in each.problems]
    if problems:
        raise ManifestError(problems)
    return None


def library_folder() -> str | None:
    """Where the library is installed; None if it is not."""
    found = find_spec(LIBRARY)
    return str(Path(found.origin).parents[1]) if found and found.origin else None


def _results(
    policies: Sequence[Policy], changes: Sequence[Change], ended: ProgramEnd, seconds: float
) -> Iterator[PolicyResult]:
    lines = [json.loads(line) for line in ended.output.split(b"\n") if line.endswith(b"}")]
    told = {line["index"]: line for line in lines if "index" in line}
    begun = max((line["begins"] for line in lines if "begins" in line), default=0)
    for index, policy in enumerate(policies):
        if index in told:
            yield _result(policy, told[index], changes)
        elif index == begun:
            yield PolicyResult(policy, failure=_unended(ended, seconds))
        else:
            yield PolicyResult(policy, failure=f"the policy {policies[begun].name!r} before it did not come to an end")


def _unended(ended: ProgramEnd, seconds: float) -> str:
    """Why an expression that was begun came to no end."""
    if ended.code is None:
        return f"it takes longer than {seconds:g} s"
    return f"its process ended with {ended.code}: it needs too much memory, or is nested too deep"


def _result(policy: Policy, told: dict[str, Any], changes: Sequence[Change]) -> PolicyResult:
    if "failure" in told:
        about = f"for {changes[told['at']].address}: " if "at" in told else ""
        return PolicyResult(policy, failure=f"{about}{told['failure']}")
    found = [changes[index] for index in told["violations"]]
    violations = tuple(Violation(change.address, change.origin) for change in found)
    if told["total"] and not found:
        violations = (Violation(None),)
    return PolicyResult(policy, violations, told["total"])
