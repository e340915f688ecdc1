"""The real kubectl against the simulator over HTTP."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

KUBECTL = shutil.which("kubectl")
POOL = "0a6e2c1e-7a53-5c5e-9d7c-0f4a0a4b9a01"
TIMEOUT = 60.0

pytestmark = pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed")


def manifest(kind, name, spec):
    """An object as a file would have it."""
    return {"apiVersion": "ngpc.rxt.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


PROD = manifest("CloudSpace", "prod", {"region": "us-central-ord-1", "kubernetesVersion": "1.31.1"})
WORKERS = manifest(
    "SpotNodePool",
    POOL,
    {"serverClass": "ch.vs1.large-ord", "cloudSpace": "prod", "desired": 1, "bidPrice": "0.02"},
)


@pytest.fixture
def kubectl(tmp_path):
    """Run kubectl against a fast simulator of its own: `kubectl("get", "cloudspaces")` gives what it printed."""
    ready, kubeconfig = tmp_path / "ready.json", tmp_path / "kubeconfig"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("RSSPOT_", "KUBE"))}
    environment = {**inherited, "HOME": str(tmp_path), "KUBECONFIG": str(kubeconfig)}
    serve = [sys.executable, "-m", "rsspot", "simulator", "serve", "--time-scale", "100"]
    server = subprocess.Popen(
        [*serve, "--ready-file", str(ready), "--kubeconfig", str(kubeconfig)],
        env=environment,
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def run(*arguments, document=None):
        ended = subprocess.run(
            [KUBECTL, *arguments],
            input=None if document is None else json.dumps(document),
            stdin=subprocess.DEVNULL if document is None else None,
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
        return ended.stdout

    try:
        deadline = time.monotonic() + 20
        while not ready.exists():
            assert server.poll() is None, "the server ended before it was ready"
            assert time.monotonic() < deadline, "the server was not ready in time"
            time.sleep(0.05)
        yield run
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(10)


@pytest.fixture
def stocked(kubectl):
    """kubectl with a cloudspace and a pool created through it."""
    for document in (PROD, WORKERS):
        kubectl("create", "--validate=false", "-f", "-", document=document)
    return kubectl


def test_create_takes_files(kubectl):
    """Each object is said to be created, once."""
    said = kubectl("create", "--validate=false", "-f", "-", document=PROD)
    assert said == "cloudspace.ngpc.rxt.io/prod created\n"


def test_api_resources_lists_the_kinds(kubectl):
    """Discovery: names, short names, scope and kind."""
    lines = [line.split() for line in kubectl("api-resources", "--no-headers").splitlines()]
    assert ["spotnodepools", "snp", "ngpc.rxt.io/v1", "true", "SpotNodePool"] in lines
    assert ["regions", "ngpc.rxt.io/v1", "false", "Region"] in lines


def test_get_prints_tables_over_all_namespaces(stocked):
    """Two kinds at once, with the service's columns."""
    said = stocked("get", "cloudspaces,spotnodepools", "-A")
    assert "cloudspace.ngpc.rxt.io/prod" in said
    assert f"spotnodepool.ngpc.rxt.io/{POOL}" in said
    assert "NAMESPACE" in said
    assert "BID" in said


def test_get_prints_an_object(stocked):
    """A single object as YAML and as JSON, and by short name."""
    assert 'bidPrice: "0.02"' in stocked("get", "spotnodepool", POOL, "-o", "yaml")
    shown = json.loads(stocked("get", "snp", POOL, "-o", "json"))
    assert shown["spec"]["serverClass"] == "ch.vs1.large-ord"


def test_label_and_select(stocked):
    """A label set by kubectl is one that it finds objects by."""
    stocked("label", "spotnodepool", POOL, "tier=web")
    assert stocked("get", "snp", "-l", "tier=web", "-o", "name") == f"spotnodepool.ngpc.rxt.io/{POOL}\n"
    stocked("label", "spotnodepool", POOL, "tier-")
    assert stocked("get", "snp", "-l", "tier=web", "-o", "name") == ""


def test_patch_changes_the_spec(stocked):
    """A merge patch through kubectl."""
    stocked("patch", "snp", POOL, "--type=merge", "-p", '{"spec": {"desired": 2}}')
    assert stocked("get", "snp", POOL, "-o", "jsonpath={.spec.desired}") == "2"


def test_delete_returns_when_the_object_is_gone(stocked):
    """kubectl waits for finalizers by watching, and ends by itself."""
    assert "deleted" in stocked("delete", "spotnodepool", POOL)
    assert stocked("get", "spotnodepools", "-o", "name") == ""


def test_delete_of_a_cloudspace_takes_its_pools_along(stocked):
    """The cascade seen from outside."""
    stocked("delete", "cloudspace", "prod")
    assert stocked("get", "cloudspaces,spotnodepools", "-o", "name") == ""


def test_a_dry_run_of_a_delete_deletes_nothing(stocked):
    """--dry-run=server is honoured."""
    stocked("delete", "spotnodepool", POOL, "--dry-run=server")
    metadata = json.loads(stocked("get", "snp", POOL, "-o", "json"))["metadata"]
    assert "deletionTimestamp" not in metadata


def test_get_lists_what_the_operators_provide(kubectl):
    """Server classes are read like anything else."""
    assert "gp.vs1.large-ord" in kubectl("get", "serverclasses", "-o", "name")
