"""Config files, state.db and registrations by the names of rsspot 0.3: what they write, our own rooms read."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rsspot import CacheConfig, Preferences, ProfileConfig, RetryConfig, SDKConfig, StateStore
from rsspot.config import ProfileManager, ensure_default_config_exists, load_config, save_config
from rsspot.config.files import read
from rsspot.errors import ConfigError, StateError
from rsspot.models import VMCloudSpaceListResponse
from rsspot.settings import RuntimeSettings
from rsspot.state import default_state_path
from rsspot.state.ledger.registrations import RegistrationStatus
from rsspot.workflows import RegistrationCandidate, RegistrationLedgerRecord, RegistrationWorkflow

CONFIG = SDKConfig(
    active_profile="work",
    profiles={
        "work": ProfileConfig(org="my-org", refresh_token="secret-token", retry=RetryConfig(max_attempts=7)),
        "home": ProfileConfig(org_id="org-b", region="us-east-iad-1", max_retries=2, verify_ssl=False),
    },
    preferences=Preferences(profile_regions={"work": "us-central-dfw-1"}),
    retry=RetryConfig(base_delay=0.5, retry_statuses=[503]),
    cache=CacheConfig(enabled=False, ttl_defaults={"GET:/apis/*": 4.0}, max_entries=9, backend="memory"),
    state_path="elsewhere.db",
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CONFIG_HOME", "RSSPOT_CONFIG", "RSSPOT_CONFIG_FILE", "SPOT_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.mark.parametrize("suffix", [".yml", ".toml", ".json"])
def test_a_saved_config_is_one_of_ours(tmp_path: Path, suffix: str) -> None:
    """Every value is where our loader looks for it, in a file for its owner only, and comes back unchanged."""
    path = save_config(CONFIG, path=tmp_path / f"config{suffix}")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    file = read(path)
    work, home = file.profiles["work"], file.profiles["home"]
    assert (file.active_profile, file.state_path) == ("work", "elsewhere.db")
    assert (work.organization, work.region, work.retry.max_retries) == ("my-org", "us-central-dfw-1", 6)
    assert work.refresh_token and work.refresh_token.get_secret_value() == "secret-token"
    assert (home.organization_id, home.region, home.retry.max_retries) == ("org-b", "us-east-iad-1", 2)
    assert not home.verify_ssl
    assert (file.preferences.retry.base_delay, file.preferences.retry.statuses) == (0.5, (503,))
    cache = file.preferences.cache
    assert (cache.enabled, cache.persistent, cache.most_entries, cache.ttls) == (False, False, 9, {"/apis/*": 4.0})
    loaded = load_config(config_path=path)
    assert (loaded.source, loaded.path) == ("explicit-path", path)
    assert loaded.data.file() == file


def test_where_a_config_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one given, a path, a variable, a default path, the official CLI's file; or it is empty."""
    assert load_config(CONFIG).source == "runtime-model"
    assert load_config({"profiles": {"a": {"org": "x"}}}).data.profiles["a"].org == "x"
    assert load_config({"org": "x"}).data.profiles["default"].org == "x"
    assert load_config(tmp_path / "none.yml").source == "explicit-path-missing"
    assert load_config().source == "default-empty"
    (tmp_path / ".spot_config").write_text("org: my-org\nrefreshToken: t\n")
    assert load_config().source == "legacy-migrated"
    assert load_config().source == "default-path"
    assert load_config().data.profiles["default"].org == "my-org"
    monkeypatch.setenv("RSSPOT_CONFIG", str(tmp_path / "none.yml"))
    assert load_config().source == "env:RSSPOT_CONFIG:missing"


def test_a_wrong_config_is_an_error_without_its_values() -> None:
    """They may be secret."""
    with pytest.raises(ConfigError) as refused:
        load_config({"profiles": {"a": {"refresh_token": ["secret-token"]}}})
    assert "secret-token" not in str(refused.value)
    with pytest.raises(ConfigError, match="is not the name of a config file"):
        save_config(CONFIG, path=Path("config.ini"))


def test_profiles_are_managed_in_a_file(tmp_path: Path) -> None:
    """Added, chosen, read and deleted."""
    manager = ProfileManager(tmp_path / "config.yml")
    manager.upsert_profile("work", ProfileConfig(org="my-org"))
    manager.upsert_profile("home", ProfileConfig(org="other"))
    assert manager.list_profiles() == ["home", "work"]
    assert manager.get_profile().org == "my-org"
    assert manager.set_active_profile("home").active_profile == "home"
    assert manager.get_profile().org == "other"
    assert manager.delete_profile("home").active_profile == "work"
    with pytest.raises(ConfigError, match="no profile 'home'"):
        manager.get_profile("home")


def test_a_default_config_is_made_once(home: Path) -> None:
    """And left alone from then on; state.db is beside it."""
    path = ensure_default_config_exists()
    path.write_text("profiles: {mine: {org: x}}\n")
    assert ensure_default_config_exists() == path == (home / ".config" / "rsspot" / "config.yml")
    assert load_config().data.profiles["mine"].org == "x"
    assert default_state_path(path) == default_state_path() == path.parent / "state.db"


def test_settings_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """By any of their variables; arguments come first."""
    monkeypatch.setenv("SPOT_ORG", "my-org")
    monkeypatch.setenv("SPOT_REFRESH_TOKEN", "secret-token")
    monkeypatch.setenv("RSSPOT_VERIFY_SSL", "false")
    monkeypatch.setenv("RSSPOT_REQUEST_TIMEOUT_SECONDS", "5")
    settings = RuntimeSettings(region="us-east-iad-1")
    assert (settings.org, settings.region, settings.verify_ssl) == ("my-org", "us-east-iad-1", False)
    assert settings.request_timeout_seconds == 5.0
    assert settings.refresh_token and settings.refresh_token.get_secret_value() == "secret-token"
    assert "secret-token" not in repr(settings)
    assert settings.fallback_base_url.startswith("https://")


@pytest.fixture(params=["file", "memory"])
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StateStore]:
    """A store in a file, and one in memory."""
    store = StateStore(tmp_path / "state.db") if request.param == "file" else StateStore()
    yield store
    store.close()


def test_preferences_by_key(state: StateStore) -> None:
    """The defaults are those that our clients read; other keys are the program's own."""
    state.set_preference("default_org", "my-org")
    state.set_preference("default_profile", "work")
    state.set_json_preference("mine", {"a": "b"})
    assert state.get_preference("default_org") == "my-org"
    assert state.preferences.of("default") == {"organization": "my-org"}
    assert state.preferences.of(None) == {"profile": "work"}
    assert (state.get_json_preference("mine"), state.get_json_preference("none")) == ({"a": "b"}, {})
    assert (state.get_preference("default_region"), state.get_preference("none")) == (None, None)


def test_texts_are_cached_by_key(state: StateStore) -> None:
    """Until they expire, are invalidated, or are too many."""
    for number in range(4):
        state.cache_set(f"GET:/a/{number}", f"text {number}", 60)
    state.cache_set("GET:/b", "old", -1)
    assert (state.cache_get("GET:/a/1"), state.cache_get("GET:/b"), state.cache_get("none")) == ("text 1", None, None)
    assert state.cache_gc() == 1
    state.cache_invalidate_prefixes(["GET:/a/1", "GET:/a/2"])
    assert [state.cache_get(f"GET:/a/{number}") for number in range(4)] == ["text 0", None, None, "text 3"]


def test_the_cache_is_pruned_to_a_number(tmp_path: Path) -> None:
    """The latest stay."""
    with StateStore(tmp_path / "state.db") as state:
        for number in range(4):
            state.cache_set(str(number), "text", 60)
        state.cache_prune_to_limit(1)
        assert [state.cache_get(str(number)) for number in range(4)] == [None, None, None, "text"]


def test_the_history_as_dictionaries(state: StateStore) -> None:
    """The newest first; `rsspot history` shows the same commands."""
    for command in ("plan infra/", "apply infra/", "plan infra/"):
        state.history_add(command=command, argv=command.split(), profile="work", org=None, region=None)
    newest = state.history_list(limit=2)
    assert [(each["id"], each["command"], each["profile"]) for each in newest] == [
        (3, "plan infra/", "work"),
        (2, "apply infra/", "work"),
    ]
    assert newest[0]["argv_json"] == '["plan", "infra/"]'
    assert state.history_suggest("p") == ["plan infra/"]
    assert [entry.command for entry in state.history.entries(1)] == ["plan infra/"]
    assert state.history_count() == 3
    state.history_clear()
    assert state.history_count() == 0


def test_registrations_as_dictionaries(state: StateStore) -> None:
    """What is not given stays as it was."""
    state.registration_upsert("k", vm_uid="u", status="token_issued", token_id="t", token_expires_at=1e9)
    state.registration_upsert("k", vm_uid="u", status="submitted", payload={"a": 1})
    state.registration_upsert("l", vm_uid="v", status="failed", last_error="no")
    row = state.registration_get("k")
    assert row is not None
    assert (row["status"], row["token_id"], row["token_expires_at"]) == ("submitted", "t", 1e9)
    assert (row["payload"], row["org_id"]) == ({"a": 1}, None)
    assert [each["registration_key"] for each in state.registration_list(status="failed")] == ["l"]
    assert len(state.registration_list()) == 2
    assert state.registration_get("none") is None


def test_a_registration_is_never_set_back(state: StateStore) -> None:
    """By a program that was slower than another one; what else it knows is stored."""
    state.registration_upsert("k", vm_uid="u", status="registered", token_id="t")
    for status in ("discovered", "token_issued", "submitted", "failed"):
        state.registration_upsert("k", vm_uid="u", status=status, vm_name=status)
        row = state.registration_get("k")
        assert row is not None and (row["status"], row["vm_name"], row["token_id"]) == ("registered", status, "t")
    state.registration_upsert("k", vm_uid="u", status="skipped")
    assert [each["registration_key"] for each in state.registration_list(status="skipped")] == ["k"]


GROUPS = VMCloudSpaceListResponse.model_validate(
    {
        "items": [
            {
                "metadata": {"name": "vms"},
                "spec": {"region": "us-central-dfw-1", "vmSshKeyRef": {"name": "key"}},
                "status": {
                    "assignedServers": {
                        "u1": {"displayName": "vm-1", "ipAddress": "10.0.0.1", "nodePoolName": "pool"},
                        "u2": {"displayName": "vm-2"},
                    }
                },
            }
        ]
    }
)
S = RegistrationStatus


@pytest.fixture
def workflow(state: StateStore) -> RegistrationWorkflow:
    """A workflow that is made from a store alone."""
    return RegistrationWorkflow(state)


@pytest.fixture
def machine(workflow: RegistrationWorkflow) -> RegistrationCandidate:
    """The first of two machines."""
    first, second = workflow.list_candidates(GROUPS, org_id="org-a", omni_cluster="prod")
    assert (first.vm_name, first.vmpool, second.vm_name) == ("vm-1", "pool", "vm-2")
    return first


def record(workflow: RegistrationWorkflow, machine: RegistrationCandidate) -> RegistrationLedgerRecord:
    """What the ledger knows of a machine."""
    found = workflow.get_record(machine.registration_key)
    assert found is not None
    return found


def test_marks_lead_to_registered(workflow: RegistrationWorkflow, machine: RegistrationCandidate) -> None:
    """No mark erases what an earlier one noted, and the key is that of our own workflow."""
    workflow.mark_discovered(machine, payload={"found": "today"})
    workflow.mark_token_issued(machine, token_id="t", token_expires_at=1e9)
    workflow.mark_submitted(machine, payload={"by": "script"})
    workflow.mark_registered(machine)
    workflow.mark_registered(machine)
    workflow.mark_discovered(machine)
    found = record(workflow, machine)
    assert (found.status, found.token_id, found.token_expires_at) == (S.REGISTERED, "t", 1e9)
    assert found.payload == {"found": "today", "by": "script"}
    assert (found.org_id, found.omni_cluster, found.vmcloudspace) == ("org-a", "prod", "vms")
    ours = RegistrationWorkflow.registration_key("org-a", "vms", "u1")
    theirs = {"vm_uid": "u1", "org_id": "org-a", "vmcloudspace": "vms", "vmpool": "pool", "omni_cluster": "prod"}
    assert machine.registration_key == ours == RegistrationWorkflow.registration_key(**theirs)
    with pytest.raises(StateError):
        workflow.mark_submitted(machine)


def test_a_payload_never_sets_a_machine_back(tmp_path: Path) -> None:
    """Though another process registers the machine just before the payload is stored."""
    path = tmp_path / "state.db"

    class Slow(StateStore):
        """Whose ledger, once a machine is discovered, is slower than another process."""

        @property
        def ledger(self) -> Any:
            inner = super().ledger

            class Overtaken:
                def __getattr__(self, name: str) -> Any:
                    return getattr(inner, name)

                def discover(self, record: Any) -> Any:
                    found = inner.discover(record)
                    with StateStore(path) as other:
                        RegistrationWorkflow(other).mark_registered(machine)
                    return found

            return Overtaken()

    with Slow(path) as slow:
        workflow = RegistrationWorkflow(slow)
        (machine, _) = workflow.list_candidates(GROUPS, org_id="org-a", omni_cluster="prod")
        workflow.mark_discovered(machine, payload={"found": "today"})
        found = record(workflow, machine)
    assert (found.status, found.payload) == (S.REGISTERED, {"found": "today"})


def test_a_mark_makes_those_before_it(workflow: RegistrationWorkflow, machine: RegistrationCandidate) -> None:
    """Also after a failure."""
    workflow.mark_failed(machine, error="no answer")
    assert (record(workflow, machine).status, record(workflow, machine).last_error) == (S.FAILED, "no answer")
    workflow.mark_registered(machine)
    assert record(workflow, machine).status is S.REGISTERED
    workflow.mark_skipped(machine)
    assert record(workflow, machine).status is S.SKIPPED
    assert workflow.get_record("none") is None


def test_a_workflow_on_a_ledger_needs_more(state: StateStore) -> None:
    """An organization and a cluster."""
    with pytest.raises(TypeError, match="needs a StateStore, or a ledger with"):
        RegistrationWorkflow(state.ledger)  # type: ignore[call-overload]
    assert isinstance(RegistrationWorkflow(state=state), RegistrationWorkflow)
