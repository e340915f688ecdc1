"""The account, config, history and state commands, against a simulator on loopback."""

from __future__ import annotations

import io
import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from rsspot.cli.app import run
from rsspot.simulator.world import World
from support.served_account import ACCOUNT, served_account

CANARY = ACCOUNT.refresh_token
Command = Callable[..., Any]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A simulated service with one account; the environment variables point to it."""
    with served_account(monkeypatch) as world:
        yield world


@pytest.fixture
def rsspot(world: World, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command, checks its exit code and returns its JSON output. Fails if the token is printed."""

    def command(*arguments: str, code: int = 0) -> Any:
        capsys.readouterr()
        assert run([*arguments, "-o", "json"]) == code
        printed = capsys.readouterr()
        assert CANARY not in printed.out + printed.err
        return json.loads(printed.out) if printed.out else None

    return command


@pytest.fixture
def account(rsspot: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The same, with a profile `work` whose token was configured from standard input."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{CANARY}\n"))
    rsspot("configure", "-p", "work", "--org", "acme", "--token-stdin")
    return rsspot


def config_file() -> Path:
    """The config file that the commands write."""
    return Path.home() / ".config" / "rsspot" / "config.yml"


def test_configure_changes_only_the_given_values(account: Command) -> None:
    """Adding a region keeps the token, the comments and the other keys of the profile."""
    text = config_file().read_text().replace("organization: acme", "organization: acme  # ours\n    mine: kept")
    config_file().write_text(text)
    assert account("configure", "-p", "work", "--region", "us-east-iad-1")["written"] == ["activeProfile", "region"]
    written = config_file().read_text()
    assert "# ours" in written
    profile = yaml.safe_load(written)["profiles"]["work"]
    assert profile == {"organization": "acme", "mine": "kept", "refreshToken": CANARY, "region": "us-east-iad-1"}
    assert config_file().stat().st_mode & 0o777 == 0o600
    assert account("whoami")["organization"] == "acme"


def test_configure_without_values_writes_nothing(rsspot: Command) -> None:
    """An empty profile would hide that none is configured."""
    rsspot("configure", "-p", "empty", code=3)
    assert not config_file().exists()


def test_profiles_list_use_show_and_delete(account: Command) -> None:
    """The profile in use cannot be deleted: the next command would silently use another account."""
    account("configure", "-p", "play", "--org", "acme", "--no-activate")
    assert account("profiles", "list") == [{"name": "play", "inUse": False}, {"name": "work", "inUse": True}]
    account("profiles", "delete", "work", code=3)
    account("config", "set-default", "profile", "work")
    account("profiles", "use", "play")
    assert account("profiles", "show")["profile"] == "play"
    assert account("profiles", "show", "work")["refresh_token"] == "(secret)"
    account("profiles", "delete", "work")
    assert account("profiles", "list") == [{"name": "play", "inUse": True}]


def test_a_default_applies_only_to_its_profile(account: Command) -> None:
    """Another profile keeps its own organization."""
    account("configure", "-p", "play", "--org", "elsewhere", "--no-activate")
    account("config", "set-default", "org", "org-abc123")
    explained = {setting["setting"]: setting for setting in account("config", "explain")}
    assert explained["organization"]["value"] == "org-abc123"
    assert "state.db" in explained["organization"]["source"]
    assert account("-p", "play", "profiles", "show")["organization"] == "elsewhere"
    account("config", "unset-default", "org")
    assert account("profiles", "show")["organization"] == "acme"


def test_login_stores_the_token_and_logout_removes_it(account: Command, world: World) -> None:
    """The whole device login: code, approval, token, profile, and logout."""
    account("logout")
    account("whoami", code=4)
    approved = threading.Event()

    def approve() -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not approved.is_set():
            codes = world.identity.device._logins() if world.store.fact("device-codes", "") else {}
            for login in codes.values():
                world.identity.device.approve(login.user_code)
                approved.set()
            time.sleep(0.05)

    thread = threading.Thread(target=approve)
    thread.start()
    assert account("login")["email"] == "sandbox@example.com"
    thread.join()
    assert account("whoami")["organization"] == "acme"
    token = yaml.safe_load(config_file().read_text())["profiles"]["work"]["refreshToken"]
    assert token != CANARY
    assert list((config_file().parent / "tokens").glob("*.json"))
    assert account("logout")["still given by"] is None
    assert not list((config_file().parent / "tokens").glob("*.json"))
    account("whoami", code=4)


def test_the_official_clis_settings_are_copied_into_a_new_config_file(rsspot: Command) -> None:
    """A new file without its token would take precedence and break a working account."""
    legacy = Path.home() / ".spot_config"
    legacy.parent.mkdir(parents=True, exist_ok=True)
    legacy.write_text(f"org: acme\nrefreshToken: {CANARY}\nregion: us-east-iad-1\n")
    assert rsspot("whoami")["organization"] == "acme"
    rsspot("configure", "-p", "default", "--region", "us-central-dfw-2")
    assert rsspot("whoami")["organization"] == "acme"
    assert legacy.read_text().startswith("org: acme\n")
    assert rsspot("logout")["still given by"] is None
    assert CANARY in legacy.read_text()


def test_account_commands_are_refused_in_the_sandbox(rsspot: Command) -> None:
    """With --sandbox they must not write into a real profile."""
    defaults = [["config", f"set-default-{which}", "x"] for which in ("org", "profile", "region")]
    defaults += [["config", "set-default", "region", "x"], ["config", "unset-default", "region"]]
    for command in (["configure", "--org", "x"], ["login"], ["logout"], ["profiles", "use", "x"], *defaults):
        rsspot("--sandbox", *command, code=3)
    assert not config_file().exists()


def test_responses_are_cached_between_commands_unless_no_cache(
    account: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second list of regions sends no request."""
    account("regions", "list")

    def requests(*arguments: str) -> list[str]:
        capsys.readouterr()
        assert run(["-v", "regions", "list", *arguments]) == 0
        return re.findall(r"^(GET|POST) (\S+)", capsys.readouterr().err, re.MULTILINE)

    assert requests() == []
    assert requests("--no-cache") == [("GET", "/apis/ngpc.rxt.io/v1/regions")]
    assert account("state", "clear-cache")["forgotten"] >= 1
    assert requests() == [("GET", "/apis/ngpc.rxt.io/v1/regions")]


def test_the_history_masks_possible_secrets(account: Command) -> None:
    """Values are shown only if they are certainly harmless."""
    account("regions", "list")
    account("spotnodepools", "get", "Sup3rS3cretTokenThatWasPastedHere", code=3)
    account("cloudspaces", "create", "edge", '{"webhook": "https://hooks.example.com/secret"}', code=3)
    commands = [entry["command"] for entry in account("history", "list")]
    assert commands[:2] == ["cloudspaces create edge *** -o json", "spotnodepools get *** -o json"]
    assert account("history", "clear")["forgotten"] >= 3


def test_state_export_and_import(account: Command, tmp_path: Path) -> None:
    """Import restores the exported defaults, and overwrites existing ones only with --replace."""
    account("config", "set-default", "region", "us-east-iad-1")
    account("state", "export", "--out", "moved.json")
    account("config", "set-default", "region", "uk-lon-1")
    account("state", "import", "moved.json", code=1)
    assert account("profiles", "show")["region"] == "uk-lon-1"
    assert account("state", "import", "moved.json", "--replace")["taken"] == {"preferences": 1, "registrations": 0}
    assert account("profiles", "show")["region"] == "us-east-iad-1"


def test_a_cloudspace_from_create_to_delete(account: Command, world: World) -> None:
    """Create, wait, upgrade, kubeconfig and delete, without a manifest."""
    spec = {"region": "us-central-dfw-2", "kubernetesVersion": "1.31.1"}
    # It must not become ready before the first kubeconfig is asked for, however slow this machine is.
    world.faults.say("cloudspaces: stuck always")
    account("cloudspaces", "create", "edge", json.dumps(spec))
    account("cloudspaces", "kubeconfig", "edge", code=1)
    world.faults.script.clear()
    account("cloudspaces", "wait", "edge", "--timeout", "600")
    account("cloudspaces", "upgrade", "edge", "1.32.0")
    account("cloudspaces", "upgrade", "edge", "1.31.1", code=3)
    Path("kube").write_text(yaml.safe_dump({"contexts": [], "clusters": [{"name": "mine"}], "users": []}))
    account("cloudspaces", "kubeconfig", "edge", "--merge-into", "kube")
    merged = yaml.safe_load(Path("kube").read_text())
    assert [cluster["name"] for cluster in merged["clusters"]] == ["mine", "acme-edge"]
    assert Path("kube").stat().st_mode & 0o777 == 0o600
    account("cloudspaces", "delete", "edge", "--yes")
    assert account("cloudspaces", "wait", "edge", "--gone") == {"gone": "edge"}


def test_prices_are_limited_to_the_region_in_use(account: Command) -> None:
    """Unless --everywhere is given."""
    here = account("pricing", "list", "--region", "us-central-dfw-2")
    assert {price["region"] for price in here} == {"us-central-dfw-2"}
    assert len(account("pricing", "list", "--everywhere", "--region", "us-central-dfw-2")) > len(here)


WATCH = [sys.executable, "-m", "rsspot", "--sandbox", "regions", "watch"]


def test_ctrl_c_ends_a_watch_with_a_message_and_exit_code(tmp_path: Path) -> None:
    """Without a traceback."""
    process = subprocess.Popen(WATCH, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("ADDED")
    process.send_signal(signal.SIGINT)
    _, message = process.communicate(timeout=60)
    assert (process.returncode, message) == (8, "error: interrupted\n")


def test_a_closed_pipe_prints_no_error() -> None:
    """`rsspot ... | head -1` is common."""
    command = f"{sys.executable} -m rsspot --sandbox serverclasses list -o json | head -1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("[\n", "")


def test_a_missing_default_profile_can_be_repaired(account: Command) -> None:
    """The commands that repair it work although the selected profile does not exist."""
    account("configure", "-p", "play", "--org", "acme", "--no-activate")
    account("config", "set-default", "profile", "play")
    text = config_file().read_text()
    config_file().write_text(text.replace("play:", "renamed:"))
    account("whoami", code=3)
    assert [profile["name"] for profile in account("profiles", "list")] == ["renamed", "work"]
    account("config", "set-default", "profile", "renamed")
    config_file().write_text(config_file().read_text().replace("renamed:", "gone:"))
    account("profiles", "use", "work")
    assert account("whoami")["profile"] == "work"
    account("config", "unset-default", "profile")


def test_configure_makes_the_profile_the_default(account: Command) -> None:
    """Even if state.db had another default."""
    account("config", "set-default", "profile", "work")
    account("configure", "-p", "play", "--org", "acme")
    assert account("profiles", "show")["profile"] == "play"


def test_the_active_profile_of_the_file_cannot_be_deleted(account: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if the environment selects another one here: other shells still use it."""
    account("configure", "-p", "play", "--org", "acme", "--no-activate")
    monkeypatch.setenv("RSSPOT_PROFILE", "play")
    account("profiles", "delete", "work", code=3)
    assert account("whoami", "-p", "work")["profile"] == "work"


def test_a_profile_with_a_numeric_name_is_updated_in_place(account: Command) -> None:
    """YAML reads the name as a number; a second entry would hide the token of the first."""
    config_file().write_text(f"activeProfile: '123'\nprofiles:\n  123: {{org: acme, refreshToken: {CANARY}}}\n")
    account("configure", "-p", "123", "--region", "us-east-iad-1")
    assert account("whoami")["organization"] == "acme"
    assert list(yaml.safe_load(config_file().read_text())["profiles"]) == [123]


def test_a_token_with_a_line_break_is_not_printed(account: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in the error nor with -v; the fixture checks this."""
    monkeypatch.setenv("RSSPOT_ACCESS_TOKEN", f"{CANARY}\n{CANARY}")
    account("-v", "regions", "list", code=4)
