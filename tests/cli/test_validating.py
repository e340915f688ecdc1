"""`validate` by itself and --online, and `render`: what they print, and what they leave to `plan`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from support.shell import Command

ROOT = Path(__file__).parents[2]
EDGE = """apiVersion: ngpc.rxt.io/v1
kind: CloudSpace
metadata: {name: edge}
spec: {region: us-central-dfw-1}
---
"""
POOL = """apiVersion: ngpc.rxt.io/v1
kind: SpotNodePool
metadata: {name: workers}
spec: {cloudSpace: edge, serverClass: gp.vs1.large-dfw, desired: 2, bidPrice: 0.03}
"""


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("0.03", "0.035", "not on the bid ladder"),
        ("gp.vs1.large-dfw", "gp.vs1.lage-dfw", "did you mean 'gp.vs1.large-dfw'?"),
        ("gp.vs1.large-dfw", "gp.vs1.large-iad", "cannot be in two regions"),
        ("us-central-dfw-1", "us-central-dfw-7", "names the Region 'us-central-dfw-7', which does not exist"),
        ("dfw-1}", "dfw-1, kubernetesVersion: 1.99.0}", "there is no Kubernetes 1.99.0"),
        ("desired: 2", "desired: 9000", "there are 120 in all"),
        ("cloudSpace: edge", "cloudSpace: egde", "names the CloudSpace 'egde', which does not exist"),
        ("dfw-1}", "dfw-1, HAControlPlane: true}", "needs type to be 'hosted'"),
    ],
)
def test_what_the_service_would_refuse_is_found_online(rsspot: Command, before: str, after: str, said: str) -> None:
    """With its line; by themselves the manifests are valid."""
    Path("a.yaml").write_text((EDGE + POOL).replace(before, after))
    rsspot("validate a.yaml")
    printed = rsspot("validate a.yaml --online", code=5)
    assert said in printed and "error: a.yaml:" in printed


def test_objects_of_the_stack_are_not_compared(rsspot: Command) -> None:
    """Neither what others own, nor what would be replaced: that is what a plan is for."""
    Path("a.yaml").write_text(EDGE + POOL)
    rsspot("apply a.yaml --yes --wait accepted")
    Path("a.yaml").write_text((EDGE + POOL).replace("dfw-1}", "dfw-1, cni: cilium}"))
    assert "blast" not in rsspot("validate a.yaml --online")
    Path("b.yaml").write_text(POOL)
    assert "1 manifests in 1 files are valid" in rsspot("validate b.yaml --online")


@pytest.mark.parametrize("command", ["validate a.yaml --online", "plan a.yaml"])
def test_findings_are_for_code_scanning(rsspot: Command, command: str) -> None:
    """Of a plan, only its refusals."""
    Path("a.yaml").write_text((EDGE + POOL).replace("0.03", "0.035"))
    (result,) = json.loads(rsspot(f"{command} -o sarif", code=5))["runs"][0]["results"]
    assert result["ruleId"] == "bid"
    assert rsspot(f"{command} -o github", code=5).startswith("::error file=a.yaml,line=9,col=")
    Path("a.yaml").write_text(EDGE + POOL)
    assert json.loads(rsspot(f"{command} -o sarif"))["runs"][0]["results"] == []
    assert rsspot(f"{command} -o github") == ""


def test_findings_in_manifests_have_rules_of_their_own(rsspot: Command) -> None:
    """Each with its line, and exit code 3."""
    Path("a.yaml").write_text((EDGE + POOL).replace("desired: 2", "desird: 2") + "---\nkind: [\n")
    results = json.loads(rsspot("validate a.yaml -o sarif", code=3))["runs"][0]["results"]
    assert [each["ruleId"] for each in results] == ["yaml", "unknown-field"]
    assert "::error" in rsspot("validate a.yaml -o github", code=3)


def test_a_finding_gives_no_orders_of_its_own(rsspot: Command) -> None:
    """A field that is called like a command of a workflow stays text."""
    Path("a.yaml").write_text(EDGE.replace("region:", '"x\\n::set-env name=A::b": 1, region:'))
    lines = rsspot("validate a.yaml -o github", code=3).splitlines()
    assert [line for line in lines if line.startswith("::") and not line.startswith("::error file=")] == []


def test_other_commands_have_no_findings(rsspot: Command) -> None:
    """They say which formats they have."""
    assert "cannot be printed with -o sarif" in rsspot("apply a.yaml -o sarif", code=3)
    assert "use one of: table" in rsspot("regions list -o sarif", code=3)


def test_what_is_rendered_is_a_manifest_again(rsspot: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """It makes the same objects, apart from the masks of secrets."""
    hook = "https://hooks.example.com/of-production"
    monkeypatch.setenv("PREEMPTION_WEBHOOK", hook)
    monkeypatch.chdir(ROOT)
    printed = rsspot("render manifests")
    assert hook not in printed
    listed = rsspot("render manifests -o json")
    assert list(yaml.safe_load_all(printed)) == json.loads(listed)
    before = json.loads(rsspot("plan manifests -o json"))["changes"]
    monkeypatch.setattr("sys.stdin", _Standard(printed.replace("(secret)", hook)))
    after = json.loads(rsspot("plan - -o json"))["changes"]
    assert [(each["address"], _spec(each)) for each in before] == [(each["address"], _spec(each)) for each in after]


class _Standard:
    """Standard input with a text."""

    def __init__(self, text: str) -> None:
        import io

        self.buffer = io.BytesIO(text.encode())


def _spec(change: dict[str, object]) -> object:
    body = change["body"]
    assert isinstance(body, dict)
    # Values that the model fills in when it reads a registration are written out by `render`.
    return {key: value for key, value in body["spec"].items() if key != "registrar"}


def test_what_nobody_wrote_has_its_origin_beside_it(rsspot: Command) -> None:
    """Filled in by rsspot, by the settings, by the field; or left to the service."""
    Path("a.yaml").write_text(
        "{apiVersion: ngpc.rxt.io/v1, kind: CloudSpace, metadata: {name: edge}, spec: {}}\n---\n"
        + POOL.replace("desired: 2", "autoscaling: {enabled: true, minNodes: 2, maxNodes: 4}")
        + "---\n{apiVersion: rsspot.dev/v1, kind: Registration, metadata: {name: omni}, spec: {vmCloudSpace: vms,"
        " omniCluster: c, registrar: {exec: [true], timeoutSeconds: 5}}}".replace("[true]", "['true']")
    )
    printed = rsspot("render a.yaml --region us-central-dfw-1")
    for line in (
        "# a.yaml:1:59",
        "  region: us-central-dfw-1  # region from --region",
        "  kubernetesVersion: 1.33.0  # filled in by rsspot",
        "  # HAControlPlane: default of the service",
        "  desired: 2  # filled in by rsspot",
        "    find: false  # default of the field",
    ):
        assert line in printed.splitlines(), printed
