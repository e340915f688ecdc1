"""What rsspot and kubectl print of live objects is a manifest again, and no mask ever replaces a secret."""

from __future__ import annotations

import io
import json
import shlex
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from rsspot.cli.app import run
from rsspot.manifests.document import authored_kinds

Command = Callable[..., str]
ROOT = Path(__file__).parents[2]
HOOK = "https://hooks.example.com/of-production"
KINDS = {name: kind.plural for name, kind in authored_kinds().items() if not kind.expand}


@pytest.fixture
def rsspot(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs a command on the sandbox; gives what it printed, or what it complained about. stdin: what it reads"""

    def command(line: str, code: int = 0, stdin: str = "") -> str:
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(stdin.encode()), isatty=lambda: False))
        assert run(["--sandbox", *shlex.split(line)]) == code, capsys.readouterr()
        printed = capsys.readouterr()
        return printed.out + printed.err

    return command


@pytest.fixture
def live(rsspot: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """An object of every kind, applied from the manifests of the project."""
    monkeypatch.setenv("PREEMPTION_WEBHOOK", HOOK)
    rsspot(f"apply {ROOT / 'manifests'} --yes --wait accepted")


@pytest.mark.usefixtures("live")
@pytest.mark.parametrize("form", ["yaml", "json"])
def test_a_list_of_every_kind_is_a_manifest(rsspot: Command, form: str) -> None:
    """Read from standard input, it declares just what is there."""
    stack = "[{kind: Stack, apiVersion: rsspot.dev/v1, metadata: {name: demo}}]"
    Path("stack.yaml").write_text(stack)
    for plural in KINDS.values():
        printed = rsspot(f"{plural} list -o {form}").replace("(secret)", HOOK)
        assert rsspot("plan - stack.yaml", stdin=printed).endswith("No changes.\n"), plural


@pytest.mark.usefixtures("live")
@pytest.mark.parametrize("kind", KINDS)
def test_a_list_as_kubectl_prints_it_is_a_manifest(rsspot: Command, kind: str) -> None:
    """`kind: List`, with all that the service has written into each item."""
    items = json.loads(rsspot(f"{KINDS[kind]} list -o json").replace("(secret)", HOOK))
    assert items
    listed = {"apiVersion": "v1", "kind": "List", "items": items, "metadata": {"resourceVersion": ""}}
    stack = {"apiVersion": "rsspot.dev/v1", "kind": "Stack", "metadata": {"name": "demo"}}
    Path("got.yaml").write_text(yaml.safe_dump_all([listed, stack]))
    assert rsspot("plan got.yaml").endswith("No changes.\n")


@pytest.mark.usefixtures("live")
def test_a_secret_that_was_printed_with_a_mask_is_never_replaced_by_it(rsspot: Command) -> None:
    """Whichever way the object comes back, it is refused, and the live one keeps its secret."""
    Path("got.yaml").write_text(rsspot("cloudspaces get edge -o yaml"))
    body = rsspot("cloudspaces get edge -o json")
    patch = json.dumps({"webhook": "(secret)"})
    place = "/apis/ngpc.rxt.io/v1/namespaces/org-sandbox000000001/cloudspaces"
    for line, stdin in (
        ("plan got.yaml --adopt", ""),
        ("apply got.yaml --adopt --yes", ""),
        ("cloudspaces create copy -", json.dumps({"region": "us-central-dfw-2", "webhook": "(secret #1)"})),
        ("cloudspaces update edge --webhook '(secret)'", ""),
        ("cloudspaces patch edge -", patch),
        (f"raw --method PATCH --path {place}/edge --body-json -", json.dumps({"spec": json.loads(patch)})),
        (f"raw --method PUT --path {place}/edge --body-json -", body),
        (f"raw --method POST --path {place} --body-json -", body),
    ):
        assert "mask" in rsspot(line, code=3, stdin=stdin), line
    assert HOOK in rsspot("cloudspaces get edge -o json --show-secrets")


def test_the_region_of_the_command_line_is_for_new_cloudspaces(rsspot: Command) -> None:
    """One that exists is not moved, and without any region the way out is named."""
    Path("a.yaml").write_text("{apiVersion: ngpc.rxt.io/v1, kind: CloudSpace, metadata: {name: edge}, spec: {}}")
    assert "--region" in rsspot("plan a.yaml", code=3)
    assert "us-central-dfw-1   filled in: region from --region" in rsspot("plan a.yaml --region us-central-dfw-1")
    rsspot("apply a.yaml --region us-central-dfw-1 --yes --wait accepted")
    assert rsspot("plan a.yaml --region us-central-dfw-2").endswith("No changes.\n")


def test_a_saved_plan_makes_what_was_approved(rsspot: Command) -> None:
    """In the region of then; with other settings now, the manifest no longer says what the plan does."""
    text = "{apiVersion: ngpc.rxt.io/v1, kind: CloudSpace, metadata: {name: edge}, spec: {cni: calico}}"
    Path("a.yaml").write_text(text)
    rsspot("plan a.yaml --region us-central-dfw-1 --out made.json")
    refused = rsspot("apply --plan made.json --yes --region us-central-dfw-2", code=5)
    assert "would be made otherwise than its manifest says" in refused
    rsspot("apply --plan made.json --yes --region us-central-dfw-1 --wait accepted")
    Path("a.yaml").write_text(text.replace("calico", "cilium"))
    rsspot("plan a.yaml --region us-central-dfw-2 --max-deletes 1 --out again.json")
    rsspot("apply --plan again.json --yes --region us-central-dfw-2 --wait accepted")
    assert "region: us-central-dfw-1" in rsspot("cloudspaces get edge -o yaml")


def test_the_region_of_a_profile_is_that_of_the_profile_of_the_stack(
    rsspot: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`validate` needs no account for it."""
    config = tmp_path / "config.yml"
    config.write_text("profiles: {default: {region: nowhere}, ci: {region: us-central-dfw-2}}")
    monkeypatch.setenv("RSSPOT_CONFIG_FILE", str(config))
    Path("a.yaml").write_text(
        "{apiVersion: rsspot.dev/v1, kind: Stack, metadata: {name: s}, spec: {profile: ci}}\n---\n"
        "{apiVersion: ngpc.rxt.io/v1, kind: CloudSpace, metadata: {name: edge}, spec: {}}"
    )
    assert run(["validate", "a.yaml", "-o", "json"]) == 0, capsys.readouterr()
    assert "cloudspace/edge" in capsys.readouterr().out


REGISTRATION = """
apiVersion: ngpc.rxt.io/v1
kind: VMCloudSpace
metadata: {name: vms}
spec: {region: us-central-dfw-1, vmSshKeyRef: {name: ops}}
---
apiVersion: rsspot.dev/v1
kind: Registration
metadata: {name: omni}
spec:
  vmCloudSpace: vms
  omniCluster: prod
  registrar:
    exec: [./register.sh]
"""


def test_a_program_that_cannot_run_is_said_before_anything_is_sent(rsspot: Command) -> None:
    """With the line that names it: one that is missing, and one that may not be executed."""
    Path("a.yaml").write_text(REGISTRATION)
    assert "a.yaml:14:5: " in (said := rsspot("plan a.yaml", code=5)) and "register.sh does not exist" in said
    Path("register.sh").write_text("#!/bin/sh\n")
    Path("register.sh").chmod(0o644)
    assert "register.sh is not executable" in rsspot("apply a.yaml --yes", code=5)
    Path("register.sh").chmod(0o755)
    rsspot("plan a.yaml")
