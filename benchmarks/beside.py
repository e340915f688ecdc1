"""The same objects created, and then compared while nothing differs, by rsspot and by tools of others. Asserts nothing.

Each tool gets a new simulator of its own; a tool that is not installed is skipped. beside.py [SIZE…]
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from measuring import RSSPOT, Simulator, cost, simulator, tell
from stack import placed

SIZES = (10, 100, 1_000, 10_000)
BENCHMARKS = Path(__file__).parent
ANSIBLE = BENCHMARKS.parent / ".venv" / "client-tools" / "bin" / "ansible-playbook"
KEPT = ("name", "namespace", "labels", "annotations")
"""What a manifest for kubectl has of an object's metadata."""


def rsspot(_: Simulator, folder: Path) -> tuple[list[str], list[str]]:
    """Ours, from its own manifests."""
    stack = str(folder / "stack.yaml")
    apply = [*RSSPOT, "apply", "--yes", "--wait=none", "-o", "json", stack]
    return apply, [*RSSPOT, "plan", "-o", "json", stack]


def kubectl(service: Simulator, folder: Path) -> tuple[list[str], list[str]]:
    """Client-side apply, as by default, and the dry run by the server that `diff` is."""
    command = ["kubectl", "--kubeconfig", str(service.kubeconfig)]
    return [*command, "apply", "-f", str(folder / "objects.json")], [
        *command,
        "diff",
        "-f",
        str(folder / "objects.json"),
    ]


def one_by_one(_: Simulator, folder: Path) -> tuple[list[str], list[str]]:
    """Terraform-shaped."""
    script, objects = str(BENCHMARKS / "object_by_object.py"), str(folder / "objects.json")
    return [sys.executable, script, "create", objects], [sys.executable, script, "refresh", objects]


def ansible(service: Simulator, folder: Path) -> tuple[list[str], list[str]]:
    """The collection kubernetes.core: read what there is, and apply; then the same in check mode."""
    about = json.loads(service.kubeconfig.read_text())["contexts"][0]["context"]
    given = {
        "kubeconfig": str(service.kubeconfig),
        "namespace": about["namespace"],
        "objects": str(folder / "objects.json"),
        "ansible_python_interpreter": str(ANSIBLE.with_name("python")),
    }
    play = [str(ANSIBLE), "-i", "localhost,", "-e", json.dumps(given), str(BENCHMARKS / "playbook.yaml")]
    return play, [*play, "--check"]


@dataclass(frozen=True)
class Tool:
    """Another way to do the same. commands: to create, and to compare · most: objects up to which it is measured"""

    commands: Callable[[Simulator, Path], tuple[list[str], list[str]]]
    program: str = sys.executable
    most: int = SIZES[-1]


TOOLS = {
    "rsspot": Tool(rsspot),
    "object by object": Tool(one_by_one),
    "kubectl": Tool(kubectl, "kubectl", 1_000),
    "ansible": Tool(ansible, str(ANSIBLE), 1_000),
}


def exported(service: Simulator) -> str:
    """All objects that there are, as manifests for kubectl."""
    found = [
        {key: each[key] for key in ("apiVersion", "kind", "spec")}
        | {"metadata": {key: each["metadata"][key] for key in KEPT if key in each["metadata"]}}
        for plural in ("cloudspaces", "spotnodepools")
        for each in service.listed(plural)
    ]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": found})


def used(name: str, size: int, folder: Path) -> None:
    """Print what one tool costs. Ours comes first: what it has made, the others are given as manifests."""
    home = folder / name.replace(" ", "-")
    home.mkdir()
    with simulator(home) as service:
        if name == "rsspot":
            (folder / "stack.yaml").write_text("".join(placed(service.listed("serverclasses"), size)))
        for what, command in zip(("create", "compare"), TOOLS[name].commands(service, folder), strict=True):
            tell(what, cost(command, service.environ, server=service.pid), tool=name, objects=size)
        if name == "rsspot":
            (folder / "objects.json").write_text(exported(service))


def measured(size: int, folder: Path) -> None:
    """Print what each tool costs that is there."""
    for name, tool in TOOLS.items():
        if shutil.which(tool.program) is None:
            tell("skipped", tool=name)
        elif size <= tool.most:
            used(name, size, folder)


def main(sizes: Sequence[int]) -> None:
    """Print the results of each size once they are measured."""
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            measured(size, Path(folder))


if __name__ == "__main__":
    main([int(each) for each in sys.argv[1:]] or SIZES)
