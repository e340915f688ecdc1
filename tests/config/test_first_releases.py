"""Config files of the SDK's first releases and of spotctl: read with their meaning, edited without losing anything."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import tomlkit
import yaml

from rsspot.config.files import read
from rsspot.config.loader import Resolved, resolve
from rsspot.config.manager import edit, migrate
from rsspot.errors import AuthError, ConfigError

WRITTEN: dict[str, Any] = {
    "version": "2",
    "default_profile": "work",
    "active_profile": "work",
    "profiles": {
        "work": {
            "org": "acme",
            "org_id": "org_abc",
            "region": "us-central-dfw-1",
            "client_id": "theirs",
            "refresh_token": "r-work",
            "access_token": "a-work",
            "base_url": "https://api.example.com",
            "oauth_url": "https://login.example.com",
            "request_timeout_seconds": 12.5,
            "verify_ssl": False,
            "max_retries": 3,
            "retry_backoff_factor": 0.6,
        },
        "play": {"org": "toys", "max_retries": 3, "retry": {"max_attempts": 2}, "cache": {"backend": "memory"}},
    },
    "preferences": {"profile_orgs": {}, "profile_regions": {}},
    "retry": {
        "max_attempts": 9,
        "base_delay": 0.2,
        "max_delay": 2.5,
        "jitter": 0.2,
        "retry_statuses": [429, 503],
    },
    "cache": {
        "enabled": True,
        "ttl_defaults": {"GET:/apis/ngpc.rxt.io/v1/regions": 20.0, "GET:/apis/ngpc.rxt.io/v1/namespaces/*": 5.0},
        "default_ttl": 4.0,
        "max_entries": 77,
        "backend": "sqlite",
    },
}
"""Every key that release 0.3.0 writes, as `configure` writes it."""
DUMPERS = {"yml": yaml.safe_dump, "yaml": yaml.safe_dump, "json": json.dumps, "toml": tomlkit.dumps}
OFFICIAL = "org: acme\nrefreshToken: r\naccessToken: a.b.c\nregion: us-central-dfw-1\n"


def file_with(folder: Path, content: Any, suffix: str = "yml") -> Path:
    """A config file with this content."""
    path = folder / f"config.{suffix}"
    path.write_text(DUMPERS[suffix](content), encoding="utf-8")
    return path


def resolved(path: Path, profile: str | None = None) -> Resolved:
    """The settings of a file alone."""
    return resolve(config_path=path, environ={"HOME": str(path.parent)}, profile=profile)


def changed(*changes: tuple[tuple[str, ...], Any]) -> dict[str, Any]:
    """What a first release writes, with other values at these key paths."""
    content = deepcopy(WRITTEN)
    for keys, value in changes:
        section = content
        for key in keys[:-1]:
            section = section.setdefault(key, {})
        section[keys[-1]] = value
    return content


@pytest.mark.parametrize("suffix", DUMPERS)
def test_every_key_has_its_meaning(tmp_path: Path, suffix: str) -> None:
    """In each format; a key without a counterpart has no effect."""
    settings = resolved(file_with(tmp_path, WRITTEN, suffix))
    options = settings.options
    assert settings.profile == "work"
    assert (settings.get("organization"), options.region, options.client_id) == (
        "org_abc",
        "us-central-dfw-1",
        "theirs",
    )
    assert (settings.get("refresh_token"), settings.get("access_token")) == ("r-work", "a-work")
    assert (options.base_url, options.oauth_url) == ("https://api.example.com", "https://login.example.com")
    assert options.timeout == 12.5
    assert (options.retry.max_retries, options.retry.base_delay, options.retry.max_delay) == (8, 0.2, 2.5)
    assert (options.retry.jitter, options.retry.statuses) == (0.2, (429, 503))
    assert options.cache.ttls == {"/apis/ngpc.rxt.io/v1/regions": 20.0, "/apis/ngpc.rxt.io/v1/namespaces/*": 5.0}
    assert (options.cache.default_ttl, options.cache.most_entries, options.cache.persistent) == (4.0, 77, True)


def test_a_profile_overrides_what_the_file_says_for_all(tmp_path: Path) -> None:
    """Its own `retry` and `cache`; the older `max_retries` has no effect beside them."""
    options = resolved(file_with(tmp_path, WRITTEN), "play").options
    assert (options.organization, options.retry.max_retries, options.cache.persistent) == ("toys", 1, False)


def test_the_older_retry_keys_apply_in_a_file_without_retry(tmp_path: Path) -> None:
    """As in a file whose top level is one profile."""
    path = file_with(tmp_path, {"org": "acme", "maxRetries": 7, "retryBackoffFactor": 1.5, "verifySsl": True})
    options = resolved(path).options
    assert (options.organization, options.retry.max_retries, options.retry.base_delay) == ("acme", 7, 1.5)


@pytest.mark.parametrize(
    ("changes", "profile"),
    [
        ([(("default_profile",), "play")], "play"),
        ([(("preferences", "default_profile"), "play")], "play"),
        ([(("default_profile",), None), (("active_profile",), "play")], "play"),
        ([(("default_profile",), None), (("active_profile",), None)], "default"),
    ],
)
def test_the_default_profile_is_the_first_of_three_keys(tmp_path: Path, changes: Any, profile: str) -> None:
    """`preferences.default_profile`, `default_profile`, `active_profile`."""
    content = changed(*changes)
    content["profiles"]["default"] = {}
    assert resolved(file_with(tmp_path, content)).profile == profile


@pytest.mark.parametrize(("setting", "many"), [("org", "profile_orgs"), ("region", "profile_regions")])
def test_preferences_override_a_profile_there(tmp_path: Path, setting: str, many: str) -> None:
    """For one profile before those for all."""
    name = "organization" if setting == "org" else setting
    content = changed((("preferences", f"default_{setting}"), "all"), (("profiles", "work", "org_id"), None))
    assert resolved(file_with(tmp_path, content)).get(name) == "all"
    content["preferences"][many] = {"work": "one"}
    path = file_with(tmp_path, content)
    assert (resolved(path).get(name), resolved(path, "play").get(name)) == ("one", "all")


def test_a_masked_secret_is_none(tmp_path: Path) -> None:
    """Release 0.3.0 replaces each secret with asterisks when it writes the file. The message says so."""
    masked = [(("profiles", "work", name), "**********") for name in ("refresh_token", "access_token")]
    settings = resolved(file_with(tmp_path, changed(*masked)))
    assert (settings.get("refresh_token"), settings.options.access_token) == (None, None)
    with pytest.raises(AuthError, match="has only asterisks in its place") as caught:
        settings.require("refresh_token")
    assert "rsspot login" in str(caught.value.hint)


@pytest.mark.parametrize("suffix", DUMPERS)
def test_edits_keep_everything_else(tmp_path: Path, suffix: str) -> None:
    """And both programs see the edit, whichever key each of them reads."""
    content = changed((("preferences", "default_org"), "all"), (("orgs",), [{"name": "kept"}]))
    path = file_with(tmp_path, content, suffix)
    edit(path, {("activeProfile",): "play", ("profiles", "play", "organization"): "new"})
    assert (resolved(path).profile, resolved(path).get("organization")) == ("play", "new")
    parsers = {"json": json.loads, "toml": lambda text: tomlkit.parse(text).unwrap()}
    written = parsers.get(suffix, yaml.safe_load)(path.read_text())
    content["active_profile"] = content["default_profile"] = "play"
    content["profiles"]["play"]["org"] = "new"
    content["preferences"]["profile_orgs"] = {"play": "new"}
    assert written == content


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ((("retry", "max_attempts"), "many"), "retry.max_attempts: must be a whole number"),
        ((("cache", "ttl_defaults"), 5), "cache.ttl_defaults: must be a mapping"),
        ((("preferences", "profile_orgs", "work"), ["x"]), "preferences.profile_orgs.work: must be a string"),
    ],
)
def test_a_problem_is_named_as_the_file_names_it(tmp_path: Path, change: Any, place: str) -> None:
    """Not by our key, which its author would not find."""
    content = changed(change)
    with pytest.raises(ConfigError, match=place):
        read(file_with(tmp_path, content, "json"))


@pytest.mark.parametrize("name", [".spot_config", ".spotctl/config.yaml"])
def test_the_files_of_spotctl_are_read_and_migrated(tmp_path: Path, name: str) -> None:
    """Older and newer versions write them to different places."""
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(OFFICIAL)
    settings = resolve(environ={"HOME": str(tmp_path)})
    expected = {"organization": "acme", "refresh_token": "r", "access_token": "a.b.c", "region": "us-central-dfw-1"}
    assert {key: setting.value for key, setting in settings.settings.items()} == expected
    assert settings.state_path == tmp_path / ".config" / "rsspot" / "state.db"
    assert migrate({"HOME": str(tmp_path)}) == tmp_path / ".config" / "rsspot" / "config.yml"
    assert path.read_text() == OFFICIAL


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('org = "acme"\nregion = "old"\n', 'region = "new"'),
        ("org: acme\nregion: old\n", "region: new"),
        ('{"org": "acme", "region": "old"}', '{"org": "acme", "region": "new"}'),
    ],
)
def test_a_file_without_an_ending_may_be_toml_yaml_or_json(tmp_path: Path, text: str, line: str) -> None:
    """The first releases accept all three, and an edit keeps the format."""
    path = tmp_path / ".spot_config"
    path.write_text(text)
    edit(path, {("profiles", "default", "region"): "new"})
    assert line in path.read_text()
    assert resolved(path).get("organization") == "acme"


# The environment


@pytest.mark.parametrize("variable", ["RACKSPACE_ORG", "RACKSPACE_ORG_ID", "SPOT_ORG_ID"])
@pytest.mark.parametrize("ours", ["RSSPOT_ORG", "RSSPOT_ORG_ID"])
def test_our_organization_overrides_that_of_another_program(tmp_path: Path, variable: str, ours: str) -> None:
    """Even an ID, which takes precedence over a name of the same program."""
    environ = {"HOME": str(tmp_path), variable: "theirs", ours: "mine"}
    assert resolve(environ=environ).get("organization") == "mine"


def test_our_token_is_not_mixed_with_one_of_another_program(tmp_path: Path) -> None:
    """It may be of another account."""
    environ = {"HOME": str(tmp_path), "SPOT_ACCESS_TOKEN": "theirs", "RSSPOT_REFRESH_TOKEN": "mine"}
    settings = resolve(environ=environ)
    assert (settings.get("access_token"), settings.get("refresh_token")) == (None, "mine")


# Several problems


def test_all_problems_of_a_file_are_reported_at_once(tmp_path: Path) -> None:
    """Each with its line and a suggestion, and without a value."""
    path = tmp_path / "config.yml"
    path.write_text(
        "profiles:\n  work:\n    refreshTokn: s3cret\n    timeout: s3cret\n"
        "    retry: {maxRetrys: 1}\nactivProfile: work\n"
    )
    with pytest.raises(ConfigError) as caught:
        read(path)
    lines = str(caught.value).splitlines()
    assert lines[:3] == [
        f"{path}:6:1: unknown key 'activProfile'",
        f"{path}:3:5: profile 'work': unknown key 'refreshTokn'",
        f"{path}:5:13: profile 'work': retry: unknown key 'maxRetrys'",
    ]
    assert len(lines) == 4 and lines[3].startswith(f"{path}:4:5: profiles.work.timeout: must be")
    hints = [problem.hint for problem in caught.value.problems]  # type: ignore[attr-defined]
    assert hints[:3] == ["did you mean 'activeProfile'?", "did you mean 'refreshToken'?", "did you mean 'maxRetries'?"]
    assert "s3cret" not in f"{caught.value!r}"


def test_all_problems_of_settings_are_reported_at_once(tmp_path: Path) -> None:
    """Each with its variable."""
    settings = resolve(environ={"HOME": str(tmp_path), "RSSPOT_TIMEOUT": "x", "SPOT_MAX_RETRIES": "y"})
    with pytest.raises(ConfigError) as caught:
        _ = settings.options
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == ["RSSPOT_TIMEOUT", "SPOT_MAX_RETRIES"]
