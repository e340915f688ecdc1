"""Runs the steps of a composite action as a runner of GitHub workflows would: conditions, expressions, bash, outputs.

Knows the few expressions that our action uses, and raises for any other. Other actions are functions of the caller.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")
TOKEN = re.compile(r"\s*(==|!=|&&|\|\||!|\(|\)|'[^']*'|[A-Za-z_][\w.-]*(?:\(\))?)")
SHELL = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")
Uses = Callable[[dict[str, str]], None]
"""Another action, given its inputs."""


@dataclass
class Ended:
    """How a job ended. failed: the name of the step that did · code: its exit code · log: all that was printed"""

    log: str = ""
    failed: str | None = None
    code: int = 0
    ran: list[str] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""


@dataclass
class ActionRunner:
    """One runner. environ: of every step · github: the context · uses: the name of another action -> what it does"""

    action: Path
    workspace: Path
    temp: Path
    environ: Mapping[str, str]
    github: Mapping[str, Any]
    uses: Mapping[str, Uses] = field(default_factory=dict)

    def run(self, **inputs: str) -> Ended:
        """Run the action with inputs, `-` written as `_`."""
        document = yaml.safe_load(self.action.read_text())
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        assert given.keys() <= document["inputs"].keys()
        contexts: dict[str, Any] = {"github": self.github, "runner": {"temp": str(self.temp)}, "steps": {}}
        defaults = {name: _filled(str(each.get("default", "")), contexts) for name, each in document["inputs"].items()}
        contexts["inputs"] = defaults | given
        ended = Ended()
        self.temp.mkdir(exist_ok=True)
        (self.temp / "summary").write_text("")
        for step in document["runs"]["steps"]:
            if not ended.failed and evaluated(str(step.get("if", "'true'")), contexts):
                ended.ran.append(step["name"])
                self._step(step, contexts, ended)
        values = {name: _filled(each["value"], contexts) for name, each in document["outputs"].items()}
        ended.outputs, ended.summary = values, (self.temp / "summary").read_text()
        return ended

    def _step(self, step: dict[str, Any], contexts: dict[str, Any], ended: Ended) -> None:
        if "uses" in step:
            name = step["uses"].partition("@")[0]
            self.uses[name]({key: _filled(str(value), contexts) for key, value in step["with"].items()})
            return
        output = self.temp / "output"
        output.write_text("")
        environ = {**self.environ, "RUNNER_TEMP": str(self.temp), "GITHUB_OUTPUT": str(output)}
        environ |= {"GITHUB_STEP_SUMMARY": str(self.temp / "summary"), "GITHUB_ACTION_PATH": str(self.action.parent)}
        environ |= {name: _filled(str(value), contexts) for name, value in step.get("env", {}).items()}
        folder = self.workspace / _filled(step.get("working-directory", "."), contexts)
        done = subprocess.run(
            [*SHELL, step["run"]], env=environ, cwd=folder, capture_output=True, text=True, timeout=100, check=False
        )
        ended.log += done.stdout + done.stderr
        lines = [line.partition("=") for line in output.read_text().splitlines()]
        contexts["steps"][step.get("id")] = {"outputs": {name: value for name, _, value in lines}}
        if done.returncode:
            ended.failed, ended.code = step["name"], done.returncode


def _filled(text: str, contexts: Mapping[str, Any]) -> str:
    """A text with its expressions replaced."""
    return EXPRESSION.sub(lambda found: str(evaluated(found[1], contexts)), text)


def evaluated(expression: str, contexts: Mapping[str, Any]) -> Any:
    """The value of an expression: names, texts, `==`, `!=`, `!`, `&&`, `||` and parentheses."""
    plain = EXPRESSION.sub(r"\1", expression)
    assert not TOKEN.sub("", plain).strip(), expression
    found = TOKEN.findall(plain)
    value = _either(found, contexts)
    assert not found, expression
    return value


def _either(rest: list[str], contexts: Mapping[str, Any]) -> Any:
    value = _both(rest, contexts)
    while rest and rest[0] == "||":
        rest.pop(0)
        other = _both(rest, contexts)
        value = value or other
    return value


def _both(rest: list[str], contexts: Mapping[str, Any]) -> Any:
    value = _compared(rest, contexts)
    while rest and rest[0] == "&&":
        rest.pop(0)
        other = _compared(rest, contexts)
        value = value and other
    return value


def _compared(rest: list[str], contexts: Mapping[str, Any]) -> Any:
    value = _single(rest, contexts)
    if rest and rest[0] in ("==", "!="):
        equal = rest.pop(0) == "=="
        return (value == _single(rest, contexts)) is equal
    return value


def _single(rest: list[str], contexts: Mapping[str, Any]) -> Any:
    word = rest.pop(0)
    if word == "!":
        return not _single(rest, contexts)
    if word == "(":
        value = _either(rest, contexts)
        assert rest.pop(0) == ")"
        return value
    if word.startswith("'"):
        return word[1:-1]
    value: Any = contexts
    for name in word.split("."):
        # A name that is not there is an empty text, as on a runner.
        value = value.get(name, "") if isinstance(value, Mapping) else ""
    return value


def runner_environment(home: Path, program: Path) -> dict[str, str]:
    """The environment of a runner that has rsspot, with a home and a sandbox of its own."""
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, "HOME": str(home), "RSSPOT_SANDBOX": str(home / "sandbox"), "LANG": "C.UTF-8"}
