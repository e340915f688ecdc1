"""Where each setting comes from, who wins, and what an unusable one is told as."""

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
    """An environment whose home is an empty folder."""
    return {"HOME": str(tmp_path)}


def write(home: dict[str, str], text: str = FILE) -> Path:
    """A config file where it is looked for."""
    path = Path(home["HOME"]) / ".config" / "rsspot" / "config.yml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


def test_with_nothing_at_all_there_are_defaults(home: dict[str, str]) -> None:
    """The public service, no token, and a ledger in the usual place."""
    found = resolve(environ=home)
    assert found.profile == "default"
    assert found.settings == {}
    assert (found.get("base_url"), found.options.base_url) == (None, "https://spot.rackspace.com")
    assert (found.options.refresh_token, found.options.retry.max_retries) == (None, 4)
    assert found.state_path == Path(home["HOME"]) / ".config" / "rsspot" / "state.db"
    assert set(Path(home["HOME"]).iterdir()) == set()


def test_arguments_win_over_environment_over_file_over_defaults(home: dict[str, str]) -> None:
    """And every value knows where it is from."""
    path = write(home)
    assert resolve(environ=home).explain()["organization"] == ("from-file", f"{path} (work)")
    from_env = {**home, "RSSPOT_ORG": "from-env"}
    assert resolve(environ=from_env).explain()["organization"] == ("from-env", "RSSPOT_ORG")
    found = resolve(environ=from_env, organization="from-argument")
    assert found.explain()["organization"] == ("from-argument", "argument")
    assert found.explain()["client_id"][1] == "default"


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
def test_the_first_variable_that_says_something_wins(
    home: dict[str, str], environ: dict[str, str], value: str | None
) -> None:
    """An empty one says nothing, and blanks around a token are not of it."""
    assert resolve(environ={**home, **environ}).get("refresh_token") == value


def test_a_profile_is_chosen_by_argument_environment_or_file(home: dict[str, str]) -> None:
    """In this order."""
    write(home)
    assert resolve(environ=home).profile == "work"
    assert resolve(environ={**home, "RSSPOT_PROFILE": "play"}).get("organization") == "playground"
    assert resolve(environ={**home, "RSSPOT_PROFILE": "play"}, profile="work").get("organization") == "from-file"


def test_the_ledger_is_beside_the_config_unless_told_otherwise(home: dict[str, str], tmp_path: Path) -> None:
    """So that two configurations do not share one."""
    path = write(home)
    assert resolve(environ=home).state_path == path.parent / "state.db"
    other = {**home, "RSSPOT_STATE_PATH": str(tmp_path / "other.db")}
    assert resolve(environ=other).state_path == tmp_path / "other.db"
    assert resolve(environ=other, state_path="argument.db").state_path == Path("argument.db")


def test_a_named_config_file_must_be_there(home: dict[str, str], tmp_path: Path) -> None:
    """By argument or by variable."""
    with pytest.raises(ConfigError, match=r"no config file at .*missing\.yml"):
        resolve(environ=home, config_path=tmp_path / "missing.yml")
    with pytest.raises(ConfigError, match=r"no config file at .*missing\.yml"):
        resolve(environ={**home, "RSSPOT_CONFIG": str(tmp_path / "missing.yml")})


def test_xdg_config_home_is_respected(home: dict[str, str], tmp_path: Path) -> None:
    """When it is set."""
    folder = tmp_path / "xdg" / "rsspot"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(FILE)
    found = resolve(environ={**home, "XDG_CONFIG_HOME": str(tmp_path / "xdg")})
    assert (found.get("organization"), found.state_path) == ("from-file", folder / "state.db")


def test_the_official_clis_file_is_read_when_there_is_no_other(home: dict[str, str]) -> None:
    """And never written."""
    legacy = Path(home["HOME"]) / ".spot_config"
    legacy.write_text("org: legacy\nrefreshToken: old\nunknown: 1\n")
    found = resolve(environ=home)
    assert (found.get("organization"), found.get("refresh_token")) == ("legacy", "old")
    write(home)
    assert resolve(environ=home).get("organization") == "from-file"


@pytest.mark.parametrize(
    ("text", "said"),
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
def test_an_unusable_file_is_named_without_its_secrets(home: dict[str, str], text: str, said: str) -> None:
    """With the file, the place, and a suggestion where one is near."""
    path = write(home, text)
    with pytest.raises(ConfigError) as caught:
        resolve(environ=home)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)
    assert caught.value.exit_code == 3
    assert CANARY not in f"{caught.value!r} {caught.value.hint} {caught.value.__cause__!r}"


def test_a_misspelt_name_gets_a_suggestion(home: dict[str, str]) -> None:
    """For keys and for profiles."""
    write(home)
    with pytest.raises(ConfigError) as caught:
        resolve(environ=home, profile="wrk")
    assert caught.value.hint == "did you mean 'work'?"


def test_binary_rubbish_is_a_config_error(home: dict[str, str]) -> None:
    """Not a traceback."""
    write(home).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError):
        resolve(environ=home)


def test_a_missing_token_names_the_ways_to_give_it(home: dict[str, str]) -> None:
    """And the way to do without."""
    with pytest.raises(AuthError) as caught:
        resolve(environ=home).require("refresh_token")
    assert "RSSPOT_REFRESH_TOKEN" in str(caught.value.hint)
    assert "--sandbox" in str(caught.value.hint)


def test_a_resolved_configuration_never_shows_its_token(home: dict[str, str]) -> None:
    """Neither when printed, nor when explained."""
    found = resolve(environ={**home, "RSSPOT_REFRESH_TOKEN": CANARY})
    assert found.explain()["refresh_token"] == ("(secret)", "RSSPOT_REFRESH_TOKEN")
    assert CANARY not in f"{found!r} {found.explain()}"
    assert found.require("refresh_token") == CANARY


def test_an_empty_config_file_is_fine(home: dict[str, str]) -> None:
    """It says nothing."""
    write(home, "")
    assert resolve(environ=home).profile == "default"
