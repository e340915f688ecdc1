"""`explain KIND[.FIELD]` and `schema`: what a kind is, without an account and without a request."""

from __future__ import annotations

import json

import pytest

from rsspot.cli.app import run
from rsspot.manifests.own_documents import DOCUMENTS
from rsspot.manifests.schema import schema_of, whole_schema
from rsspot.resources.registry import kinds
from support.shell import STACK, write


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command that succeeds prints."""
    assert run(list(arguments)) == 0
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command that is refused says."""
    assert run(list(arguments)) == 3
    return capsys.readouterr().err


def test_a_field_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """Type, whether it is required, and what it is for."""
    assert printed(capsys, "explain", "SpotNodePool.spec.bidPrice") == (
        "KIND:     SpotNodePool\n"
        "VERSION:  ngpc.rxt.io/v1\n"
        "FIELD:    spec.bidPrice <price> -required-\n"
        "\n"
        "DESCRIPTION:\n"
        "  The most to pay for one server, in dollars an hour: on the bid ladder, and at\n"
        "  or above the minimum of the class and its market price. The market price is\n"
        "  what is billed.\n"
    )


def test_rules_and_marks_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """Defaults, allowed values, and what is immutable, secret or set by the service."""
    shown = " ".join(printed(capsys, "explain", "cloudspace.spec").split())
    assert "cni <string> Network plugin of the cluster; byocni installs none. Immutable: another value" in shown
    assert "One of: calico, cilium, byocni." in shown
    assert "Secret: never shown, stored or logged." in shown
    assert "bidRequests <[]string> Names of the spot pools of the cloudspace. Set by the service" in shown
    shown = " ".join(printed(capsys, "explain", "registration.registrar").split())
    assert "Default: 60. At least 1 and at most 86400." in shown


def test_a_field_of_the_spec_needs_no_prefix(capsys: pytest.CaptureFixture[str]) -> None:
    """And kinds go by their plural too, in any case."""
    long = printed(capsys, "explain", "SpotNodePool.spec.autoscaling.minNodes")
    assert printed(capsys, "explain", "spotnodepools.autoscaling.minNodes") == long


@pytest.mark.parametrize("kind", [*kinds(), *DOCUMENTS])
def test_every_kind_is_explained(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    """All fields with --recursive, each on its line."""
    lines = printed(capsys, "explain", kind, "--recursive").splitlines()
    assert lines[0] == f"KIND:     {kind}"
    assert "  spec <Object> -required-" in lines or kind == "Stack"
    assert any(line.startswith("    ") and "<" in line for line in lines)


def test_json_has_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(printed(capsys, "explain", "cloudspace.cni", "-o", "json"))
    assert document == {
        "kind": "CloudSpace",
        "apiVersion": "ngpc.rxt.io/v1",
        "path": "spec.cni",
        "name": "cni",
        "type": "string",
        "required": False,
        "description": "Network plugin of the cluster; byocni installs none.",
        "marks": ["immutable"],
        "default": None,
        "allowed": ["calico", "cilium", "byocni"],
    }


@pytest.mark.parametrize(
    ("subject", "hint"),
    [
        ("SpotNodPool", "did you mean 'spotnodepool'?"),
        ("SpotNodePool.bidPrise", "did you mean 'bidPrice'?"),
        ("SpotNodePool.autoscaling.enabld", "did you mean 'enabled'?"),
        ("SpotNodePool.bidPrice.x", "has no field 'x'"),
        ("x", "kinds: AutopilotNodePool, CloudSpace"),
    ],
)
def test_a_mistyped_word_gets_a_suggestion(subject: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert hint in refused(capsys, "explain", subject)


def test_an_object_is_still_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """An address has a slash in it, or manifests come with it."""
    manifest = write(STACK)
    assert "create" in printed(capsys, "--sandbox", "explain", "cloudspace/edge", manifest)
    assert "no manifest declares" in refused(capsys, "--sandbox", "explain", "cloudspace", manifest)
    assert "no manifests given" in refused(capsys, "--sandbox", "explain", "cloudspace/edge")


def test_schemas_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON, unless YAML is asked for."""
    assert json.loads(printed(capsys, "schema")) == whole_schema()
    assert json.loads(printed(capsys, "schema", "spotnodepools")) == schema_of("SpotNodePool")
    assert printed(capsys, "schema", "stack", "-o", "yaml").startswith("$schema: https://json-schema.org/")
    assert "Region has no manifests" in refused(capsys, "schema", "region")
    assert "did you mean 'stack'?" in refused(capsys, "schema", "stak")
