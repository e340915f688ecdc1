"""state.db and registration records: no data is lost, broken state blocks nothing, only the owner can read it."""

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
    """A VMCloudSpace whose machines are assigned."""
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
def test_registration_details_are_kept_across_steps(ledger):
    """Otherwise the next step loses the issued token, or the reason of a failure."""
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
    """Otherwise discovering the same machines again registers all of them twice."""
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
def test_no_registration_step_can_be_skipped(ledger, jump):
    """Otherwise a machine counts as registered that never had a token."""
    work = workflow(ledger)
    work.discover([group("vm-1")])
    (machine,) = work.claim()
    with pytest.raises(StateError):
        getattr(work, jump)(machine)


@pytest.mark.defect(16)
def test_workers_never_claim_the_same_machine(ledger):
    """Otherwise both issue a token, and the last one wins."""
    workers = [workflow(ledger, name) for name in ("one", "two", "three")]
    workers[0].discover([group(*(f"vm-{number}" for number in range(30)))])
    taken: dict[str, list[str]] = {}

    def work(name: str, worker: RegistrationWorkflow) -> None:
        taken[name] = [record.vm_uid for record in worker.claim(12)]

    threads = [threading.Thread(target=work, args=(str(number), worker)) for number, worker in enumerate(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    claimed = [uid for uids in taken.values() for uid in uids]
    assert len(claimed) == len(set(claimed)) == 30
    with pytest.raises(StateError):
        of_one = next(record for record in ledger.registrations() if record.claimed_by == "one")
        workers[1].token_issued(of_one, token_id="stolen")


@pytest.mark.defect(16)
def test_registration_keys_are_unambiguous():
    """Otherwise two machines share a record."""
    keys = {RegistrationWorkflow.registration_key(*parts) for parts in (("a|b", "c", "d"), ("a", "b|c", "d"))}
    assert len(keys) == 2


STATES = ["garbage", "a folder", "read-only", "in a folder that cannot be written", "of a newer version", "locked"]


@pytest.mark.defect(25)
@pytest.mark.parametrize("sort", STATES)
def test_reads_work_without_a_usable_state_db(account, config_file, rsspot, monkeypatch, sort):
    """Otherwise a full disk, or a config file on a mounted secret, breaks every command."""
    state = config_file.parent / "state.db"
    locked = None
    if sort == "garbage":
        state.write_bytes(b"this is not a database " * 500)
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
        locked = sqlite3.connect(state, isolation_level=None)
        locked.execute("BEGIN EXCLUSIVE")
    try:
        # An unreadable file may have selected the account, so it must be named explicitly.
        organization = account.world.organizations[0].name
        account_options = {"profile": "default", "organization": organization} if sort == "garbage" else {}
        named = ["--profile", "default", "--org", organization] if account_options else []
        for arguments in (["regions", "list"], ["cloudspaces", "list"], ["organizations", "list"]):
            if account_options:
                assert rsspot(*arguments).code == 1
            ended = rsspot(*arguments, *named)
            assert (ended.code, ended.err.replace("No cloudspaces found.\n", "")) == (0, "")
        with SpotClient(**account_options) as client:
            assert client.regions.list()
    finally:
        if locked is not None:
            locked.close()


@pytest.mark.defect(25)
def test_a_write_succeeds_without_a_usable_state_db(account, config_file, rsspot):
    """Otherwise a successful create is reported as a disk error."""
    (config_file.parent / "state.db").write_bytes(b"this is not a database " * 500)
    organization = account.world.organizations[0].name
    with SpotClient(profile="default", organization=organization) as client:
        assert client.cloudspaces.create("web", SPEC).name == "web"
    assert rsspot("-p", "default", "--org", organization, "cloudspaces", "delete", "web", "--yes").code == 0


@pytest.mark.defect(39)
def test_written_files_are_readable_only_by_their_owner(account, config_file, rsspot, tmp_path):
    """Otherwise other users of the machine can read responses and kubeconfigs."""
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
    assert {file.name for file in files} >= {"state.db", "tokens", "kubeconfig", "export.json"}
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file


@pytest.mark.defect(39)
@pytest.mark.parametrize(("command", "takes_one"), [("configure", True), ("login", False)])
def test_a_token_as_an_argument_is_said_to_be_public(rsspot, command, takes_one):
    """Other users of the machine can see arguments. The token can also be piped, and then they cannot."""
    help_text = rsspot(command, "--help").out
    assert ("--refresh-token" in help_text) is takes_one
    assert ("Arguments are public" in help_text) is takes_one
    assert ("--token-stdin" in help_text) is takes_one


@pytest.mark.defect(39)
@pytest.mark.parametrize("command", [["config", "explain"], ["profiles", "show"]], ids=" ".join)
@pytest.mark.parametrize("output", ["table", "json", "yaml"])
def test_settings_are_shown_without_secrets(account, config, rsspot, command, output):
    """Otherwise an unknown key, or a password in a URL, ends up in a ticket."""
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
def test_the_history_masks_values_of_unknown_options(account, rsspot, secret):
    """Otherwise the history is a list of secrets."""
    assert rsspot("organizations", "list").code == 0
    rsspot("cloudspaces", "list", "--selector", f"token={secret}")
    rsspot("cloudspaces", "list", f"--selector={secret}")
    rsspot("cloudspaces", "create", "web", json.dumps({**SPEC, "webhook": secret}))
    rsspot("plan", "nope.yaml", "--var", f"password={secret}")
    entries = rsspot("history", "list", "-o", "json").json
    assert len(entries) >= 4
    assert not [entry for entry in entries if "unter2" in entry["command"]]


@pytest.mark.defect(39)
def test_the_history_shows_harmless_names(account, rsspot):
    """A history of asterisks is useless."""
    rsspot("organizations", "list")
    rsspot("spotnodepools", "get", "monkey-pool")
    entries = rsspot("history", "list", "-o", "json").json
    assert "spotnodepools get monkey-pool" in [entry["command"] for entry in entries]


def dump(state: Path) -> list[str]:
    """The whole database as SQL text."""
    with closing(sqlite3.connect(state)) as connection:
        return list(connection.iterdump())


@pytest.mark.defect(52)
def test_state_db_records_its_schema_version(account, config_file, rsspot):
    """Otherwise its schema cannot be changed without losing data."""
    assert rsspot("organizations", "list").code == 0
    assert query(config_file.parent / "state.db", "PRAGMA user_version")[0][0] > 0


@pytest.mark.defect(52)
def test_a_state_db_of_a_newer_version_is_not_changed(account, config_file, rsspot):
    """Otherwise an old version corrupts the data of a new one."""
    state = config_file.parent / "state.db"
    assert rsspot("organizations", "list").code == 0
    query(state, "PRAGMA user_version = 999")
    before = dump(state)
    ended = rsspot("config", "set-default", "region", "us-central-dfw-1")
    assert ended.code == 1
    assert "newer" in ended.err
    assert dump(state) == before


@pytest.mark.defect(52)
def test_registrations_are_listed_with_one_query(ledger):
    """Otherwise listing takes one query per row."""
    workflow(ledger).discover([group(*(f"vm-{number}" for number in range(40)))])
    queries: list[str] = []
    ledger._db._connection.set_trace_callback(queries.append)
    assert len(ledger.registrations()) == 40
    assert len(queries) == 1
