"""The basics of resolving settings: sources, precedence, errors. test_precedence.py tests every pair of sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from rsspot.config.loader import resolve
from rsspot.errors import AuthError, ConfigError

CANARY = "canary-refresh-token"
FILE = """
activeProfile: work
profiles:
  work: {org: from-file, region: us-central-dfw-1, refreshToken: file-token}
  play: {organization: playground}
"""


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment whose home folder is empty."""
    return {"HOME": str(tmp_path)}


def write(home: dict[str, str], text: str = FILE) -> Path:
    """Write a config file at a default path."""
    path = Path(home["HOME"]) / ".config" / "rsspot" / "config.yml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


def test_defaults_apply_without_any_source(home: dict[str, str]) -> None:
    """The public service, no token, and state.db at the default path."""
    resolved = resolve(environ=home)
    assert resolved.profile == "default"
    assert resolved.settings == {}
    assert (resolved.get("base_url"), resolved.options.base_url) == (None, "https://spot.rackspace.com")
    assert (resolved.options.refresh_token, resolved.options.retry.max_retries) == (None, 4)
    assert resolved.state_path == Path(home["HOME"]) / ".config" / "rsspot" / "state.db"
    assert set(Path(home["HOME"]).iterdir()) == set()


def test_arguments_win_over_environment_over_file_over_defaults(home: dict[str, str]) -> None:
    """Every value is shown with its source."""
    path = write(home)
    assert resolve(environ=home).explain()["organization"] == ("from-file", f"{path} (work)")
    from_env = {**home, "RSSPOT_ORG": "from-env"}
    assert resolve(environ=from_env).explain()["organization"] == ("from-env", "RSSPOT_ORG")
    resolved = resolve(environ=from_env, organization="from-argument")
    assert resolved.explain()["organization"] == ("from-argument", "argument")
    assert resolved.explain()["client_id"][1] == "default"


@pytest.mark.parametrize(
    ("environ", "value"),
    [
        ({"RSSPOT_REFRESH_TOKEN": "a", "SPOT_REFRESH_TOKEN": "b", "RACKSPACE_SPOT_TOKEN": "c"}, "a"),
        ({"SPOT_REFRESH_TOKEN": "b", "RACKSPACE_SPOT_TOKEN": "c"}, "b"),
        ({"RACKSPACE_SPOT_TOKEN": "c"}, "c"),
        ({"RSSPOT_REFRESH_TOKEN": "", "SPOT_REFRESH_TOKEN": " b\n"}, "b"),
        ({"RSSPOT_REFRESH_TOKEN": "  "}, None),
    ],
)
def test_the_first_variable_that_is_not_empty_wins(
    home: dict[str, str], environ: dict[str, str], value: str | None
) -> None:
    """A variable with only whitespace counts as empty. Whitespace around a token is removed."""
    assert resolve(environ={**home, **environ}).get("refresh_token") == value


def test_the_profile_comes_from_argument_then_environment_then_file(home: dict[str, str]) -> None:
    """The first that names a profile wins."""
    write(home)
    assert resolve(environ=home).profile == "work"
    assert resolve(environ={**home, "RSSPOT_PROFILE": "play"}).get("organization") == "playground"
    assert resolve(environ={**home, "RSSPOT_PROFILE": "play"}, profile="work").get("organization") == "from-file"


def test_state_db_is_beside_the_config_file_by_default(home: dict[str, str], tmp_path: Path) -> None:
    """So that two configurations do not share a ledger. A variable or an argument overrides it."""
    path = write(home)
    assert resolve(environ=home).state_path == path.parent / "state.db"
    other = {**home, "RSSPOT_STATE_PATH": str(tmp_path / "other.db")}
    assert resolve(environ=other).state_path == tmp_path / "other.db"
    assert resolve(environ=other, state_path="argument.db").state_path == Path("argument.db")


def test_a_named_config_file_must_exist(home: dict[str, str], tmp_path: Path) -> None:
    """Whether an argument or a variable names it."""
    with pytest.raises(ConfigError, match=r"no config file at .*missing\.yml"):
        resolve(environ=home, config_path=tmp_path / "missing.yml")
    with pytest.raises(ConfigError, match=r"no config file at .*missing\.yml"):
        resolve(environ={**home, "RSSPOT_CONFIG": str(tmp_path / "missing.yml")})


def test_xdg_config_home_is_respected(home: dict[str, str], tmp_path: Path) -> None:
    """Both for the config file and for state.db."""
    folder = tmp_path / "xdg" / "rsspot"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(FILE)
    resolved = resolve(environ={**home, "XDG_CONFIG_HOME": str(tmp_path / "xdg")})
    assert (resolved.get("organization"), resolved.state_path) == ("from-file", folder / "state.db")


def test_the_official_clis_file_is_read_if_there_is_no_other(home: dict[str, str]) -> None:
    """A config file of rsspot takes precedence."""
    legacy = Path(home["HOME"]) / ".spot_config"
    legacy.write_text("org: legacy\nrefreshToken: old\nunknown: 1\n")
    resolved = resolve(environ=home)
    assert (resolved.get("organization"), resolved.get("refresh_token")) == ("legacy", "old")
    write(home)
    assert resolve(environ=home).get("organization") == "from-file"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"profiles: [{CANARY}]", "must be a mapping"),
        (f"profiles: {{work: {CANARY}}}\nactiveProfile: work", "and so must each profile"),
        (f"profiles:\n  work:\n\t refreshToken: {CANARY}", "not valid YAML"),
        (f"refreshToken: '{CANARY}", "not valid YAML"),
        (f"- {CANARY}", "must contain a mapping"),
        (f"profiles: {{work: {{refreshTokn: {CANARY}}}}}\nactiveProfile: work", "unknown key 'refreshTokn'"),
        (f"profiles: {{work: {{refreshToken: {CANARY}}}}}\nactiveProfile: wrok", "no profile 'wrok'"),
    ],
)
def test_an_invalid_file_is_named_without_its_secrets(home: dict[str, str], text: str, message: str) -> None:
    """The message names the file and the problem, but quotes no value."""
    path = write(home, text)
    with pytest.raises(ConfigError) as caught:
        resolve(environ=home)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
    assert caught.value.exit_code == 3
    assert CANARY not in f"{caught.value!r} {caught.value.hint} {caught.value.__cause__!r}"


def test_a_misspelled_profile_gets_a_suggestion(home: dict[str, str]) -> None:
    """The hint names the similar profile."""
    write(home)
    with pytest.raises(ConfigError) as caught:
        resolve(environ=home, profile="wrk")
    assert caught.value.hint == "did you mean 'work'? profiles: play, work"


def test_a_binary_file_is_a_config_error(home: dict[str, str]) -> None:
    """Not a traceback."""
    write(home).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError):
        resolve(environ=home)


def test_the_error_for_a_missing_token_says_how_to_set_it(home: dict[str, str]) -> None:
    """And that the sandbox needs none."""
    with pytest.raises(AuthError) as caught:
        resolve(environ=home).require("refresh_token")
    assert "RSSPOT_REFRESH_TOKEN" in str(caught.value.hint)
    assert "--sandbox" in str(caught.value.hint)


def test_resolved_settings_never_show_the_token(home: dict[str, str]) -> None:
    """Neither in their repr nor in `explain`."""
    resolved = resolve(environ={**home, "RSSPOT_REFRESH_TOKEN": CANARY})
    assert resolved.explain()["refresh_token"] == ("(secret)", "RSSPOT_REFRESH_TOKEN")
    assert CANARY not in f"{resolved!r} {resolved.explain()}"
    assert resolved.require("refresh_token") == CANARY


def test_an_empty_config_file_is_valid(home: dict[str, str]) -> None:
    """The defaults apply."""
    write(home, "")
    assert resolve(environ=home).profile == "default"
