"""The registrar of a manifest: exactly one sort, and nothing in it that must not be shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from rsspot.applier.events import Recap
from rsspot.errors import ManifestError
from rsspot.manifests.from_live import authored
from rsspot.manifests.parse import load
from rsspot.planner.codec import dump_plan, load_plan
from rsspot.resources.registry import kinds
from rsspot.services.registrations.schemas import registrations
from rsspot.testing import SimulatedSpot
from rsspot.workflows.reconcile import apply_plan, make_plan
from rsspot.workflows.saved_plan import with_secrets
from support.registering import STACK
from support.webhook_server import receiving

MANIFEST = """
apiVersion: rsspot.dev/v1
kind: Registration
metadata: {name: known}
spec: {vmCloudSpace: vms, omniCluster: prod, registrar: REGISTRAR}
"""
SECRET = "canary-4711-secret-key"
ONE = "exactly one of exec, webhook and entryPoint"


def written(folder: Path, registrar: str) -> Path:
    """A manifest with a registrar."""
    file = folder / "stack.yaml"
    file.write_text(MANIFEST.replace("REGISTRAR", registrar))
    return file


@pytest.mark.parametrize(
    "registrar",
    [
        "{exec: [/bin/true]}",
        f"{{webhook: {{url: 'https://r.example.com/x', secret: {SECRET}}}, find: true}}",
        f"{{webhook: {{url: 'http://127.0.0.1:8000/', secret: {SECRET}}}}}",
        "{entryPoint: 'our.omni:register', timeoutSeconds: 86400}",
        "{entryPoint: our-omni}",
        "{exec: [/bin/true]}, retry: {limit: 1, backoffSeconds: 0}",
    ],
)
def test_one_registrar_is_taken(tmp_path: Path, registrar: str) -> None:
    """Of each sort."""
    assert load([written(tmp_path, registrar)], environ={}).manifests


@pytest.mark.parametrize(
    ("registrar", "why"),
    [
        ("{}", ONE),
        ("{find: true}", ONE),
        ("{exec: [/bin/true], entryPoint: 'our.omni:register'}", ONE),
        ("{webhook: {url: 'https://r.example.com/x'}}", "must have a secret"),
        ("{webhook: {url: 'https://r.example.com/x', secret: short}}", "at least 16 characters"),
        (f"{{webhook: {{url: 'http://r.example.com/x', secret: {SECRET}}}}}", "must be an https:// URL"),
        (f"{{webhook: {{url: 'ftp://r.example.com/x', secret: {SECRET}}}}}", "must be an https:// URL"),
        (f"{{webhook: {{url: 'https://a:b@r.example.com/x', secret: {SECRET}}}}}", "a user or a password"),
        ("{entryPoint: 'our omni'}", "must be package.module:function"),
        ("{exec: [/bin/true], timeoutSeconds: 86401}", "less than or equal to 86400"),
        ("{exec: [/bin/true]}, retry: {limit: 0}", "greater than or equal to 1"),
    ],
)
def test_anything_else_is_refused_with_the_reason(tmp_path: Path, registrar: str, why: str) -> None:
    """At its place, and without the secret."""
    with pytest.raises(ManifestError) as caught:
        load([written(tmp_path, registrar)], environ={})
    assert why in caught.value.message
    assert all(problem.origin for problem in caught.value.problems)
    assert "canary" not in caught.value.message


async def test_the_secret_of_a_webhook_is_in_no_plan(tmp_path: Path, spot_api: SimulatedSpot) -> None:
    """Whether it is about all machines or about each; applying a saved one takes it from the manifests again."""
    with receiving() as receiver:
        registrar = f"{{webhook: {{url: '{receiver.url}', secret: {SECRET}}}}}"
        file = tmp_path / "stack.yaml"
        file.write_text(STACK.replace("{exec: EXEC}", registrar))
        manifests = load([file])
        for _ in ("all of them", "each"):
            client = spot_api.client()
            plan = await make_plan(client, client.ledger, manifests, stack="vms")
            assert plan.changes
            dumped = dump_plan(plan)
            assert "canary" not in str(dumped) and "(secret #1)" in str(dumped)
            saved = with_secrets(load_plan(dumped), manifests)
            events = [event async for event in apply_plan(client, client.ledger, saved)]
            assert isinstance(events[-1], Recap) and events[-1].outcome == "ok"
            for record in client.ledger.registrations():
                client.ledger.forget_registration(record.registration_key)
        assert len(receiver.received) == 12
    assert not any(b"canary" in each.read_bytes() for each in tmp_path.glob("state.db*"))


def test_an_exported_webhook_has_a_variable_for_its_secret() -> None:
    """The ledger does not keep it."""
    spec = {"vmCloudSpace": "vms", "vmUid": "u", "omniCluster": "prod"}
    webhook = {"registrar": {"webhook": {"url": "https://r.example.com/x"}}}
    (gathered,) = registrations([{"metadata": {"name": "key"}, "spec": {**spec, **webhook}}])
    found = authored(kinds()["Registration"], gathered)
    (path,) = found.secrets
    assert "secret: ${env:HOOK}" in found.text({path: "HOOK"})
