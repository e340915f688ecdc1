"""state.db and the ledger of registrations: never lossy, never in the way, and nobody else's to read."""

from __future__ import annotations

import json
import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest

from rsspot import RegistrationStatus, RegistrationWorkflow, SpotClient, StateError
from rsspot.services.vms.schemas import VMCloudSpace
from rsspot.state.ledger import open_ledger
from support.loopback_server import SPEC, query


def group(*machines: str, pool: str = "runners") -> VMCloudSpace:
    """A group whose machines are delivered."""
    servers = {
        uid: {"ipAddress": "192.0.2.1", "displayName": uid, "serverName": uid, "nodePoolName": pool} for uid in machines
    }
    spec = {"region": "us-central-dfw-1", "vmSshKeyRef": {"name": "operators"}}
    document = {"metadata": {"name": "vms"}, "spec": spec, "status": {"phase": "Ready", "assignedServers": servers}}
    return VMCloudSpace.model_validate(document)


@pytest.fixture
def ledger(tmp_path):
    opened = open_ledger(tmp_path / "state.db")
    yield opened
    opened.close()


def workflow(ledger, worker: str = "one") -> RegistrationWorkflow:
    return RegistrationWorkflow(ledger, organization="org-sandbox", omni_cluster="omni", worker=worker)


@pytest.mark.defect(16)
def test_what_was_learned_of_a_machine_is_not_lost(ledger):
    """Otherwise the token that was issued is gone with the next step, and a failure with its reason."""
    work = workflow(ledger)
    work.discover([group("vm-1")])
    (machine,) = work.claim()
    work.token_issued(machine, token_id="t-1", expires_at="2099-01-01T00:00:00Z")
    submitted = work.submitted(machine)
    assert (submitted.token_id, submitted.token_expires_at) == ("t-1", "2099-01-01T00:00:00Z")
    assert submitted.payload == {"ipAddress": "192.0.2.1"}
    failed = work.failed(submitted, "no answer")
    (again,) = work.discover([group("vm-1")])
    assert (again.status, again.last_error, again.token_id) == (RegistrationStatus.FAILED, "no answer", "t-1")
    assert failed.claimed_by is None


@pytest.mark.defect(16)
def test_a_registered_machine_is_not_registered_again(ledger):
    """Otherwise a second look at the same machines registers all of them twice."""
    work = workflow(ledger)
    work.discover([group("vm-1")])
    (machine,) = work.claim()
    work.token_issued(machine, token_id="t-1")
    work.submitted(machine)
    work.registered(machine)
    for pool in ("runners", "renamed"):
        (again,) = work.discover([group("vm-1", pool=pool)]) or [None]
        assert again is None or again.status is RegistrationStatus.REGISTERED
    assert work.claim() == []
    assert len(ledger.registrations()) == 1


@pytest.mark.defect(16)
@pytest.mark.parametrize("jump", ["submitted", "registered"])
def test_no_step_is_jumped(ledger, jump):
    """Otherwise a machine counts as registered that never had a token."""
    work = workflow(ledger)
    work.discover([group("vm-1")])
    (machine,) = work.claim()
    with pytest.raises(StateError):
        getattr(work, jump)(machine)


@pytest.mark.defect(16)
def test_two_workers_never_have_the_same_machine(ledger):
    """Otherwise both issue a token, and the last one wins."""
    workers = [workflow(ledger, name) for name in ("one", "two", "three")]
    workers[0].discover([group(*(f"vm-{number}" for number in range(30)))])
    taken: dict[str, list[str]] = {}

    def work(name: str, worker: RegistrationWorkflow) -> None:
        taken[name] = [each.vm_uid for each in worker.claim(12)]

    threads = [threading.Thread(target=work, args=(str(number), each)) for number, each in enumerate(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    everything = [uid for uids in taken.values() for uid in uids]
    assert len(everything) == len(set(everything)) == 30
    with pytest.raises(StateError):
        mine = next(each for each in ledger.registrations() if each.claimed_by == "one")
        workers[1].token_issued(mine, token_id="stolen")


@pytest.mark.defect(16)
def test_names_are_told_apart_however_they_are_written():
    """Otherwise two machines share a record."""
    keys = {RegistrationWorkflow.registration_key(*parts) for parts in (("a|b", "c", "d"), ("a", "b|c", "d"))}
    assert len(keys) == 2


STATES = ["garbage", "a folder", "read-only", "in a folder that cannot be written", "of a newer version", "locked"]


@pytest.mark.defect(25)
@pytest.mark.parametrize("sort", STATES)
def test_a_state_that_is_of_no_use_spoils_no_read(account, config_file, rsspot, monkeypatch, sort):
    """Otherwise a full disk, or a config file on a mounted secret, ends every command."""
    state = config_file.parent / "state.db"
    held = None
    if sort == "garbage":
        state.write_bytes(b"this is no database " * 500)
    elif sort == "a folder":
        state.mkdir()
    elif sort == "read-only":
        assert rsspot("regions", "list").code == 0
        state.chmod(0o400)
    elif sort == "in a folder that cannot be written":
        monkeypatch.setenv("RSSPOT_STATE_PATH", "/proc/rsspot/state.db")
    elif sort == "of a newer version":
        query(state, "PRAGMA user_version = 999")
    else:
        assert rsspot("regions", "list").code == 0
        held = sqlite3.connect(state, isolation_level=None)
        held.execute("BEGIN EXCLUSIVE")
    try:
        # Such a file may say which account is meant: then somebody has to say it.
        organization = account.world.organizations[0].name
        meant = {"profile": "default", "organization": organization} if sort == "garbage" else {}
        named = ["--profile", "default", "--org", organization] if meant else []
        for arguments in (["regions", "list"], ["cloudspaces", "list"], ["organizations", "list"]):
            if meant:
                assert rsspot(*arguments).code == 1
            ended = rsspot(*arguments, *named)
            assert (ended.code, ended.err) == (0, "")
        with SpotClient(**meant) as client:
            assert client.regions.list()
    finally:
        if held is not None:
            held.close()


@pytest.mark.defect(25)
def test_a_write_is_told_as_what_it_was_though_nothing_can_be_kept(account, config_file, rsspot):
    """Otherwise a create that worked is told as a failure of the disk."""
    (config_file.parent / "state.db").write_bytes(b"this is no database " * 500)
    organization = account.world.organizations[0].name
    with SpotClient(profile="default", organization=organization) as client:
        assert client.cloudspaces.create("web", SPEC).name == "web"
    assert rsspot("-p", "default", "--org", organization, "cloudspaces", "delete", "web", "--yes").code == 0


@pytest.mark.defect(39)
def test_what_is_kept_is_its_owners_alone(account, config_file, rsspot, tmp_path):
    """Otherwise everybody on the machine reads what the service said, and the way into the cluster."""
    kubeconfig = tmp_path / "somewhere" / "kubeconfig"
    with account.world.lock:
        account.make("cloudspaces", "web", SPEC)
        body = account.world.store.get("cloudspaces", account.world.organizations[0].namespace, "web")
        body["status"] = {"APIServerEndpoint": "web.example.com"}
        account.world.store.put("cloudspaces", body)
    assert rsspot("config", "set-default", "region", "us-central-dfw-1").code == 0
    assert rsspot("organizations", "list").code == 0
    assert rsspot("cloudspaces", "kubeconfig", "web", "--merge-into", str(kubeconfig)).code == 0
    assert rsspot("state", "export", "--out", "export.json").code == 0
    files = [*config_file.parent.rglob("*"), *Path().rglob("*"), *kubeconfig.parent.rglob("*")]
    assert {each.name for each in files} >= {"state.db", "tokens", "kubeconfig", "export.json"}
    for each in files:
        assert stat.S_IMODE(each.stat().st_mode) & 0o077 == 0, each


@pytest.mark.defect(39)
@pytest.mark.parametrize("command", ["configure", "login"])
def test_no_command_takes_a_token_as_an_argument(rsspot, command):
    """Otherwise everybody on the machine reads it in the list of processes, and the shell keeps it."""
    said = rsspot(command, "--help").out
    assert "--refresh-token" not in said
    assert rsspot(command, "--refresh-token", "hunter2").code == 3


@pytest.mark.defect(39)
@pytest.mark.parametrize("command", [["config", "explain"], ["profiles", "show"]], ids=" ".join)
@pytest.mark.parametrize("output", ["table", "json", "yaml"])
def test_nothing_secret_is_shown_with_what_is_set(account, config, rsspot, command, output):
    """Otherwise a key that we do not know, or a password in an address, ends up in a ticket."""
    address = account.url.replace("http://", "http://someone:hunter2@")
    config(default={**account.profile(), "apiKey": "hunter2", "pat": "hunter2", "proxy": address, "feedsUrl": address})
    ended = rsspot(*command, "-o", output)
    assert ended.code == 0
    assert "hunter2" not in ended.out + ended.err
    assert account.profile()["refreshToken"] not in ended.out + ended.err


@pytest.mark.defect(39)
@pytest.mark.parametrize(
    "secret",
    ["-hunter2", '{"pass": "hunter2"}', "hunter2", "hunter2/HUNTER2", "hunter2=HUNTER2", "hUnter2"],
)
def test_what_follows_an_unknown_option_is_not_noted(account, rsspot, secret):
    """Otherwise the history is a list of secrets."""
    assert rsspot("organizations", "list").code == 0
    rsspot("cloudspaces", "list", "--selector", f"token={secret}")
    rsspot("cloudspaces", "list", f"--selector={secret}")
    rsspot("cloudspaces", "create", "web", json.dumps({**SPEC, "webhook": secret}))
    rsspot("plan", "nope.yaml", "--var", f"password={secret}")
    noted = rsspot("history", "list", "-o", "json").json
    assert len(noted) >= 4
    assert not [each for each in noted if "unter2" in each["command"]]


@pytest.mark.defect(39)
def test_a_name_that_is_harmless_is_noted(account, rsspot):
    """A history of stars is of no use."""
    rsspot("organizations", "list")
    rsspot("spotnodepools", "get", "monkey-pool")
    assert "spotnodepools get monkey-pool" in [each["command"] for each in rsspot("history", "list", "-o", "json").json]


def dump(state: Path) -> list[str]:
    """All that is in a database, as text."""
    with closing(sqlite3.connect(state)) as connection:
        return list(connection.iterdump())


@pytest.mark.defect(52)
def test_the_state_knows_its_own_version(account, config_file, rsspot):
    """Otherwise nobody can change its shape without losing what is in it."""
    assert rsspot("organizations", "list").code == 0
    assert query(config_file.parent / "state.db", "PRAGMA user_version")[0][0] > 0


@pytest.mark.defect(52)
def test_a_state_of_a_newer_version_is_left_alone(account, config_file, rsspot):
    """Otherwise an old version spoils what a new one wrote."""
    state = config_file.parent / "state.db"
    assert rsspot("organizations", "list").code == 0
    query(state, "PRAGMA user_version = 999")
    before = dump(state)
    ended = rsspot("config", "set-default", "region", "us-central-dfw-1")
    assert ended.code == 1
    assert "newer" in ended.err
    assert dump(state) == before


@pytest.mark.defect(52)
def test_many_registrations_are_listed_by_one_query(ledger):
    """Otherwise a list takes a query for each of its rows."""
    workflow(ledger).discover([group(*(f"vm-{number}" for number in range(40)))])
    asked: list[str] = []
    ledger._db._connection.set_trace_callback(asked.append)
    assert len(ledger.registrations()) == 40
    assert len(asked) == 1
