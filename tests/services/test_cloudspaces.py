"""Upgrades only raise the version, and merging a kubeconfig keeps the rest of the file."""

from __future__ import annotations

import stat
import threading
import traceback
from pathlib import Path
from typing import Any

import pytest
import yaml

from rsspot.client.async_client import AsyncSpotClient
from rsspot.client.sync_client import SpotClient
from rsspot.errors import AuthError, ConfigError, Conflict, Invalid, NotFound, RsspotError, UnexpectedShape, UsageError
from rsspot.services.cloudspaces.kubeconfig import merge
from rsspot.simulator.accounts.people import SANDBOX_TOKEN
from rsspot.testing import SimulatedSpot
from rsspot.wire import httpx
from support.recording import CLOUDSPACE, cloudspace, offline, overhearing, put

CONTEXT = "sandbox-edge"
FOREIGN = """
apiVersion: v1
kind: Config
preferences: {colors: true}
current-context: mine
clusters:
- {name: mine, cluster: {server: "https://mine.example.com"}}
contexts:
- {name: mine, context: {cluster: mine, user: oidc}}
- {name: second, context: {cluster: mine, user: ngpc-user}}
users:
- {name: oidc, user: {token: my-own-token}}
- {name: ngpc-user, user: {token: my-second-token}}
extensions:
- {name: theirs, extension: {a: 1}}
"""


@pytest.fixture
def ready(spot_api: SimulatedSpot) -> SimulatedSpot:
    """A service with two cloudspaces: one whose control plane is up, and one whose is not."""
    answering = {"APIServerEndpoint": "hcp-1.example.com", "currentKubernetesVersion": "1.31.1"}
    put(spot_api, "cloudspaces", cloudspace("edge", status=answering), cloudspace("new"))
    return spot_api


def named(config: dict[str, Any], plural: str) -> dict[str, Any]:
    """The entries of a kubeconfig by name."""
    return {each["name"]: each[plural.removesuffix("s")] for each in config[plural]}


def login_of(config: dict[str, Any], context: str) -> tuple[str, dict[str, Any]]:
    """The cluster and user of a context."""
    entry = named(config, "contexts")[context]
    return named(config, "clusters")[entry["cluster"]]["server"], named(config, "users")[entry["user"]]


# Upgrades


async def test_an_upgrade_patches_the_version(spot_api: SimulatedSpot) -> None:
    """It sends only the version and the resourceVersion."""
    client, wire = overhearing(spot_api)
    made = await client.cloudspaces.create("edge", CLOUDSPACE)
    upgraded = await client.cloudspaces.upgrade("edge", "1.32.0")
    assert upgraded.spec.kubernetes_version == "1.32.0"
    assert wire.bodies("PATCH") == [
        {"spec": {"kubernetesVersion": "1.32.0"}, "metadata": {"resourceVersion": made.metadata.resource_version}}
    ]


async def test_a_version_cannot_be_lowered(ready: SimulatedSpot) -> None:
    """Nor set to the current one."""
    client, wire = overhearing(ready)
    for version in ("1.31.1", "1.31.0", "1.9.9", "0.99.0"):
        with pytest.raises(UsageError, match=r"edge is already at version 1\.31\.1") as caught:
            await client.cloudspaces.upgrade("edge", version)
        assert caught.value.hint == "choose a later version; a downgrade is not possible"
    assert wire.of("PATCH") == []


async def test_versions_are_compared_numerically(ready: SimulatedSpot, spot_client: AsyncSpotClient) -> None:
    """1.31.10 is later than 1.31.9."""
    await spot_client.cloudspaces.upgrade("edge", "1.31.9")
    assert (await spot_client.cloudspaces.upgrade("edge", "1.31.10")).spec.kubernetes_version == "1.31.10"


@pytest.mark.parametrize("version", ["", "1", "1.33", "v1.33.0", "1.33.0.0", "latest", "1.33.x", "-1.0.0", "1.33.0\n"])
async def test_only_a_full_version_is_accepted(version: str) -> None:
    """Nothing is sent for another."""
    client, wire = offline()
    with pytest.raises(UsageError, match="full version such as"):
        await client.cloudspaces.upgrade("edge", version)
    assert wire.requests == []


async def test_a_cloudspace_changed_in_between_is_not_upgraded(ready: SimulatedSpot) -> None:
    """Someone else may have upgraded it further."""

    def meddle(request: httpx.Request) -> None:
        if request.method == "PATCH":
            put(ready, "cloudspaces", cloudspace("edge", spec={**CLOUDSPACE, "kubernetesVersion": "1.33.0"}))

    client, _ = overhearing(ready, meddle)
    with pytest.raises(Conflict):
        await client.cloudspaces.upgrade("edge", "1.32.0")
    assert (await client.cloudspaces.get("edge")).spec.kubernetes_version == "1.33.0"


async def test_upgrading_a_missing_cloudspace_raises_not_found(spot_client: AsyncSpotClient) -> None:
    """As every verb does."""
    with pytest.raises(NotFound):
        await spot_client.cloudspaces.upgrade("nobody", "1.32.0")
    with pytest.raises(UsageError):
        await spot_client.cloudspaces.upgrade("../x", "1.32.0")


# Kubeconfigs


@pytest.mark.parametrize("organization", ["sandbox", "org_Sandbox000000001", "org-sandbox000000001", None])
async def test_a_kubeconfig_is_fetched_for_any_form_of_the_organization(
    ready: SimulatedSpot, organization: str | None
) -> None:
    """Its endpoint takes the name; the rest of the API takes the namespace."""
    client, wire = overhearing(ready, organization=organization)
    config = yaml.safe_load(await client.cloudspaces.kubeconfig("edge"))
    assert login_of(config, CONTEXT)[0] == "https://hcp-1.example.com"
    asked = [body for body in wire.bodies("POST") if "cloudspace_name" in body]
    assert asked == [{"organization_name": "sandbox", "cloudspace_name": "edge", "refresh_token": SANDBOX_TOKEN}]


async def test_without_a_control_plane_there_is_no_kubeconfig(ready: SimulatedSpot, tmp_path: Path) -> None:
    """And no file is created."""
    client, _ = overhearing(ready)
    with pytest.raises(Invalid, match="not ready"):
        await client.cloudspaces.kubeconfig("new", merge_into=tmp_path / "config")
    assert not (tmp_path / "config").exists()


@pytest.mark.parametrize("name", ["nobody", "../x", ""])
async def test_the_refresh_token_is_not_sent_for_a_missing_cloudspace(ready: SimulatedSpot, name: str) -> None:
    """A typo in the name does not send a secret."""
    client, wire = overhearing(ready)
    with pytest.raises((NotFound, UsageError)):
        await client.cloudspaces.kubeconfig(name)
    assert not wire.of("POST", path="kubeconfig")


async def test_a_missing_refresh_token_is_named(ready: SimulatedSpot) -> None:
    """An access token alone is not enough."""
    bearer = ready.world.identity.id_token(ready.world.organizations[0])
    client, wire = overhearing(ready, refresh_token=None, access_token=bearer)
    assert (await client.cloudspaces.get("edge")).name == "edge"
    with pytest.raises(AuthError, match="needs a refresh token"):
        await client.cloudspaces.kubeconfig("edge")
    assert not wire.of("POST", path="kubeconfig")


ODD_ANSWERS: dict[str, Any] = {
    "nothing": {},
    "no text": {"data": {"kubeconfig": None}},
    "no mapping": {"data": {"kubeconfig": "token-canary"}},
    "broken": {"data": {"kubeconfig": "users: [token-canary"}},
    "no lists": {"data": {"kubeconfig": "users: token-canary\nclusters: []\ncontexts: []\n"}},
    "nameless": {"data": {"kubeconfig": "users: [{user: {token: token-canary}}]\nclusters: []\ncontexts: []\n"}},
    "no entries": {"data": {"kubeconfig": "users: [token-canary]\nclusters: []\ncontexts: []\n"}},
}


@pytest.mark.parametrize("answer", ODD_ANSWERS.values(), ids=ODD_ANSWERS)
async def test_an_invalid_kubeconfig_is_not_quoted(ready: SimulatedSpot, tmp_path: Path, answer: Any) -> None:
    """It may hold a token; an existing file is not changed."""
    (tmp_path / "config").write_text(FOREIGN)
    client, _ = overhearing(
        ready, lambda asked: httpx.Response(200, json=answer) if "kubeconfig" in asked.url.path else None
    )
    with pytest.raises(UnexpectedShape) as caught:
        await client.cloudspaces.kubeconfig("edge", merge_into=tmp_path / "config")
    assert "canary" not in "".join(traceback.format_exception(caught.value))
    assert (tmp_path / "config").read_text() == FOREIGN


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, None])
async def test_no_failure_quotes_a_token(ready: SimulatedSpot, tmp_path: Path, status: int | None) -> None:
    """Although the request has one in its body."""

    def fail(request: httpx.Request) -> httpx.Response | None:
        if "kubeconfig" not in request.url.path:
            return None
        if status is None:
            raise httpx.ReadError("the connection broke", request=request)
        return httpx.Response(status, json={"message": "no"})

    client, wire = overhearing(ready, fail)
    with pytest.raises(RsspotError) as caught:
        await client.cloudspaces.kubeconfig("edge", merge_into=tmp_path / "config")
    bearer = wire.of("GET")[-1].headers["authorization"].partition(" ")[2]
    shown = "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
    assert SANDBOX_TOKEN not in shown and bearer not in shown
    assert not (tmp_path / "config").exists()


# Merging


async def test_a_new_file_is_private_and_holds_the_kubeconfig(ready: SimulatedSpot, tmp_path: Path) -> None:
    """Missing directories are created."""
    client, _ = overhearing(ready)
    path = tmp_path / "deep" / "down" / "config"
    text = await client.cloudspaces.kubeconfig("edge", merge_into=path)
    merged, given = yaml.safe_load(path.read_text()), yaml.safe_load(text)
    assert merged["current-context"] == CONTEXT
    assert (merged["apiVersion"], merged["kind"]) == ("v1", "Config")
    for context in named(given, "contexts"):
        assert login_of(merged, context) == login_of(given, context)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("before", ["", "{}", "apiVersion: v1\nkind: Config\nclusters: null\nusers: null\n"])
async def test_an_empty_file_is_treated_as_missing(ready: SimulatedSpot, tmp_path: Path, before: str) -> None:
    """kubectl leaves nulls behind, and some tools create the file first."""
    client, _ = overhearing(ready)
    (tmp_path / "config").write_text(before)
    await client.cloudspaces.kubeconfig("edge", merge_into=tmp_path / "config")
    merged = yaml.safe_load((tmp_path / "config").read_text())
    assert merged["current-context"] == CONTEXT
    assert login_of(merged, CONTEXT)[1]["token"]


async def test_other_entries_in_the_file_stay(ready: SimulatedSpot, tmp_path: Path) -> None:
    """Other contexts keep their cluster and user, even if user names are equal."""
    client, _ = overhearing(ready)
    path = tmp_path / "config"
    path.write_text(FOREIGN)
    path.chmod(0o644)
    await client.cloudspaces.kubeconfig("edge", merge_into=path)
    before, merged = yaml.safe_load(FOREIGN), yaml.safe_load(path.read_text())
    assert merged["current-context"] == "mine"
    for context in ("mine", "second"):
        assert login_of(merged, context) == login_of(before, context)
    assert login_of(merged, CONTEXT)[0] == "https://hcp-1.example.com"
    assert login_of(merged, CONTEXT)[1]["token"] not in ("my-own-token", "my-second-token")
    assert merged["preferences"] == before["preferences"]
    assert merged["extensions"] == before["extensions"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_merging_again_only_replaces_the_token(ready: SimulatedSpot, tmp_path: Path) -> None:
    """However often, whichever context is current."""
    client, _ = overhearing(ready)
    path = tmp_path / "config"
    path.write_text(FOREIGN)
    await client.cloudspaces.kubeconfig("edge", merge_into=path)
    once = path.read_text()
    await client.cloudspaces.kubeconfig("edge", merge_into=path)
    assert path.read_text() == once
    ready.advance(3600)
    text = await client.cloudspaces.kubeconfig("edge", merge_into=path)
    merged = yaml.safe_load(path.read_text())
    assert {plural: list(named(merged, plural)) for plural in ("clusters", "users", "contexts")} == {
        plural: list(named(yaml.safe_load(once), plural)) for plural in ("clusters", "users", "contexts")
    }
    assert login_of(merged, CONTEXT) == login_of(yaml.safe_load(text), CONTEXT)
    assert login_of(merged, CONTEXT) != login_of(yaml.safe_load(once), CONTEXT)


async def test_two_cloudspaces_fit_in_one_file(ready: SimulatedSpot, tmp_path: Path) -> None:
    """Each context has its own cluster and user."""
    put(ready, "cloudspaces", cloudspace("far", status={"APIServerEndpoint": "hcp-2.example.com"}))
    client, _ = overhearing(ready)
    for name in ("edge", "far"):
        await client.cloudspaces.kubeconfig(name, merge_into=tmp_path / "config")
    merged = yaml.safe_load((tmp_path / "config").read_text())
    assert merged["current-context"] == CONTEXT
    assert [login_of(merged, f"sandbox-{name}")[0] for name in ("edge", "far")] == [
        "https://hcp-1.example.com",
        "https://hcp-2.example.com",
    ]


BROKEN = {
    "no yaml": "clusters: [canary",
    "no mapping": "- canary\n",
    "a word": "canary\n",
    "no list": "clusters: canary\n",
    "a list of words": "clusters: [canary]\n",
    "a mapping for a list": "users: {canary: 1}\n",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
async def test_a_file_that_is_not_a_kubeconfig_is_not_changed(ready: SimulatedSpot, tmp_path: Path, text: str) -> None:
    """It is not quoted either: it may hold a token."""
    client, _ = overhearing(ready)
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(ConfigError, match="is not a kubeconfig; it was not changed") as caught:
        await client.cloudspaces.kubeconfig("edge", merge_into=path)
    assert path.read_text() == text
    shown = "".join(traceback.format_exception(caught.value))
    assert "canary" not in shown and SANDBOX_TOKEN not in shown
    assert [each.name for each in tmp_path.iterdir() if not each.name.startswith(("state", ".config.lock"))] == [
        "config"
    ]


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\x00\x00"])
async def test_a_binary_file_is_not_changed(ready: SimulatedSpot, tmp_path: Path, content: bytes) -> None:
    """It may be important to its owner."""
    client, _ = overhearing(ready)
    (tmp_path / "config").write_bytes(content)
    with pytest.raises(ConfigError):
        await client.cloudspaces.kubeconfig("edge", merge_into=tmp_path / "config")
    assert (tmp_path / "config").read_bytes() == content


async def test_an_unwritable_path_is_reported(ready: SimulatedSpot, tmp_path: Path) -> None:
    """A directory, or a path below a file."""
    client, _ = overhearing(ready)
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file" / "config"):
        with pytest.raises(ConfigError, match="cannot write"):
            await client.cloudspaces.kubeconfig("edge", merge_into=path)


async def test_a_symbolic_link_stays_a_link(ready: SimulatedSpot, tmp_path: Path) -> None:
    """Its target is written."""
    client, _ = overhearing(ready)
    (tmp_path / "real").write_text(FOREIGN)
    (tmp_path / "config").symlink_to(tmp_path / "real")
    await client.cloudspaces.kubeconfig("edge", merge_into=tmp_path / "config")
    assert (tmp_path / "config").is_symlink()
    assert CONTEXT in named(yaml.safe_load((tmp_path / "real").read_text()), "contexts")


def test_concurrent_merges_lose_nothing(tmp_path: Path) -> None:
    """Through a link as well as directly."""
    (tmp_path / "real").write_text(FOREIGN)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    together = threading.Barrier(12)

    def add(number: int) -> None:
        entry = {"name": f"c{number}"}
        context = {"cluster": f"c{number}", "user": f"c{number}"}
        config = {"clusters": [{**entry, "cluster": {}}], "users": [{**entry, "user": {}}]}
        text = yaml.safe_dump({**config, "contexts": [{**entry, "context": context}], "current-context": f"c{number}"})
        together.wait()
        merge(text, tmp_path / ("real" if number % 2 else "link"))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    merged = yaml.safe_load((tmp_path / "real").read_text())
    assert set(named(merged, "contexts")) == {"mine", "second", *(f"c{number}" for number in range(12))}


def test_the_synchronous_version_does_the_same(ready: SimulatedSpot, tmp_path: Path) -> None:
    """Upgrade and kubeconfig."""
    config = ready.client().config
    with SpotClient(resolved=config, transport=ready.transport, clock=ready.clock) as client:
        assert client.cloudspaces.upgrade("edge", "1.32.0").spec.kubernetes_version == "1.32.0"
        client.cloudspaces.kubeconfig("edge", merge_into=tmp_path / "config")
    assert yaml.safe_load((tmp_path / "config").read_text())["current-context"] == CONTEXT
