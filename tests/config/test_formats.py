"""Config files in every format and spelling, and the errors for files that cannot be used."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tomlkit
import yaml
from pydantic.alias_generators import to_camel

from rsspot.config.files import MAX_BYTES, read
from rsspot.config.loader import Resolved, resolve
from rsspot.config.models import Profile, leaves
from rsspot.errors import ConfigError, RsspotError
from rsspot.settings import Setting

CANARY = "canary-never-to-be-quoted"
FORMATS = ("yml", "yaml", "toml", "json")
WHOLE: dict[str, Any] = {
    "active_profile": "work",
    "state_path": "elsewhere.db",
    "preferences": {"region": "us-central-dfw-1", "timeout": 7.5, "retry": {"max_delay": 3}},
    "profiles": {
        "work": {
            "organization": "acme",
            "refresh_token": "r",
            "keyring": True,
            "rate_limit": 2.5,
            "most_response_bytes": 4096,
            "retry": {"max_retries": 0, "max_retry_after": 0.5, "statuses": [429, 503]},
            "cache": {"default_ttl": 60, "most_entries": 5, "ttls": {"/apis/*/regions": 3600}},
        },
        "play": {"organization_id": "org-1"},
    },
}


def camel(value: Any) -> Any:
    """The same mapping with camelCase keys. Path patterns are not changed."""
    if not isinstance(value, dict):
        return value
    return {to_camel(key) if key.isidentifier() else key: camel(each) for key, each in value.items()}


def dumped(suffix: str, content: dict[str, Any]) -> str:
    """A mapping as text in the format of a file suffix."""
    if suffix == "toml":
        return tomlkit.dumps(content)
    return json.dumps(content) if suffix == "json" else yaml.safe_dump(content, sort_keys=False)


def resolve_file(path: Path, **arguments: Any) -> Resolved:
    """Resolve a file without settings from other sources."""
    return resolve(config_path=path, environ={"HOME": str(path.parent)}, **arguments)


def values_of(resolved: Resolved) -> dict[str, Any]:
    """Every value, without its source."""
    return {name: setting.value for name, setting in resolved.settings.items()}


def file_with(folder: Path, text: str, suffix: str = "yml") -> Path:
    """A config file with this text."""
    path = folder / f"config.{suffix}"
    path.write_text(text, encoding="utf-8")
    return path


def full_text(error: RsspotError) -> str:
    """Every text of an error, including its hint and its causes."""
    return f"{error} {error!r} {error.hint} {error.__cause__!r} {error.__context__!r}"


# One schema


@pytest.mark.parametrize("spelling", [dict, camel], ids=["snake_case", "camelCase"])
@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_and_spelling_gives_the_same_settings(tmp_path: Path, suffix: str, spelling: Any) -> None:
    """YAML, TOML and JSON, each in snake_case and camelCase."""
    expected = resolve(config=WHOLE, environ={"HOME": str(tmp_path)})
    resolved = resolve_file(file_with(tmp_path, dumped(suffix, spelling(WHOLE)), suffix))
    assert values_of(resolved) == values_of(expected)
    assert resolved.options == expected.options
    assert resolved.profile == "work" and resolved.state_path == tmp_path / "elsewhere.db"
    assert resolved.options.retry.max_retries == 0 and resolved.options.retry.max_delay == 3
    assert resolved.options.cache.ttls == {"/apis/*/regions": 3600}


@pytest.mark.parametrize(
    ("key", "value", "name"),
    [
        ("org", "x", "organization"),
        ("organization", "x", "organization"),
        ("orgId", "x", "organization"),
        ("org_id", "x", "organization"),
        ("organizationId", "x", "organization"),
        ("organization_id", "x", "organization"),
        ("requestTimeoutSeconds", 9, "timeout"),
        ("request_timeout_seconds", 9, "timeout"),
        ("timeout", 9, "timeout"),
        ("accessToken", "x", "access_token"),
        ("mostResponseBytes", 2048, "most_response_bytes"),
    ],
)
@pytest.mark.parametrize("suffix", ["yml", "toml", "json"])
def test_every_spelling_of_a_key_is_the_same_setting(
    tmp_path: Path, suffix: str, key: str, value: Any, name: str
) -> None:
    """In a profile, in the preferences, and in a file whose top level is one profile."""
    for content in ({"profiles": {"default": {key: value}}}, {"preferences": {key: value}}, {key: value}):
        assert resolve_file(file_with(tmp_path, dumped(suffix, content), suffix)).get(name) == value


def test_the_official_clis_file_is_one_profile(tmp_path: Path) -> None:
    """With all four keys that the official CLI writes. An empty token counts as not set."""
    text = "org: acme\nrefreshToken: r\naccessToken: ''\nregion: us-east-iad-1\n"
    resolved = resolve_file(file_with(tmp_path, text))
    assert values_of(resolved) == {"organization": "acme", "refresh_token": "r", "region": "us-east-iad-1"}
    assert resolved.options.access_token is None


@pytest.mark.parametrize(
    "text",
    ["profiles: {work: {%s: 1}}", "%s: 1\nprofiles: {}", "preferences: {%s: 1}", "preferences: {retry: {%s: 1}}"],
)
def test_an_unknown_key_is_ignored(tmp_path: Path, text: str) -> None:
    """At the top level and in every section."""
    resolved = resolve_file(file_with(tmp_path, f"{text % 'xyzzy'}\nactiveProfile: {'work' if 'work' in text else ''}"))
    assert resolved.settings == {}


@pytest.mark.parametrize(
    ("text", "key", "hint"),
    [
        ("activeProfil: work", "activeProfil", "activeProfile"),
        ("profile: {}", "profile", "profiles"),
        ("profiles: {work: {organisation: x}}", "organisation", "organization"),
        ("profiles: {work: {refreshTokn: x}}", "refreshTokn", "refreshToken"),
        ("preferences: {regoin: x}", "regoin", "region"),
        ("profiles: {work: {retry: {maxRetry: 1}}}", "maxRetry", "maxRetries"),
        ("profiles: {work: {cache: {enable: false}}}", "enable", "enabled"),
    ],
)
def test_a_misspelled_key_is_refused(tmp_path: Path, text: str, key: str, hint: str) -> None:
    """Otherwise the setting would be ignored silently."""
    path = file_with(tmp_path, text)
    with pytest.raises(ConfigError, match=f"unknown key '{key}'") as caught:
        read(path)
    assert caught.value.hint == f"did you mean '{hint}'?"
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("key", ["token", "url", "version", "editor", "extra", "path"])
def test_keys_of_other_programs_are_not_taken_for_typos(tmp_path: Path, key: str) -> None:
    """A file may be shared with tools that use such keys."""
    assert (
        resolve_file(file_with(tmp_path, f"profiles: {{default: {{org: acme, {key}: x}}}}")).get("organization")
        == "acme"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("activeProfile: work\norg: acme\nprofiles: {work: {}}", "'org' belongs in a profile"),
        ("refreshTokn: x", "'refreshTokn' belongs in a profile"),
    ],
)
def test_a_setting_outside_of_a_profile_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """It would have no effect."""
    with pytest.raises(ConfigError, match=message):
        read(file_with(tmp_path, text))


# Files that cannot be used


@pytest.mark.parametrize(
    ("suffix", "text", "place"),
    [
        ("yml", f"profiles:\n  work: {{refreshToken: '{CANARY}\n", ":3:1"),
        ("yml", f"profiles:\n  work:\n\t refreshToken: {CANARY}", ":3:1"),
        ("yml", f"region: !!python/object:os.system {CANARY}", ":1:9"),
        ("toml", f'[profiles.work]\nrefreshToken = "{CANARY}', ""),
        ("toml", f"[profiles.work]\n{CANARY} {CANARY}\n", f":2:{len(CANARY) + 2}"),
        ("toml", f"a = 1\n{CANARY} = 1\n{CANARY} = 2\n", ":3:"),
        ("json", f'{{"profiles":\n {{"work": {{"refreshToken": "{CANARY}}}}}}}', ":2:28"),
        ("json", f'{{"refreshToken": {CANARY}}}', ":1:18"),
    ],
)
def test_a_file_that_cannot_be_parsed_is_named_with_the_position(
    tmp_path: Path, suffix: str, text: str, place: str
) -> None:
    """Line and column, if the parser reports them. Nothing is quoted, since the invalid text may be a token."""
    path = file_with(tmp_path, text, suffix)
    with pytest.raises(ConfigError) as caught:
        read(path)
    assert f"{path}{place}" in str(caught.value) and "is not valid" in str(caught.value)
    assert CANARY not in f"{caught.value} {caught.value!r} {caught.value.hint} {caught.value.__cause__!r}"


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        ("yml", "region: !!int abc"),
        ("yml", f"region: {'1' * 5000}"),
        ("toml", f"region = {'1' * 5000}"),
        ("json", f'{{"region": {"1" * 5000}}}'),
    ],
)
def test_a_value_that_a_parser_cannot_convert_is_a_config_error(tmp_path: Path, suffix: str, text: str) -> None:
    """For an invalid number, the parsers raise other errors than for invalid syntax."""
    with pytest.raises(ConfigError, match=r"config\.\w+.* is not valid"):
        read(file_with(tmp_path, text, suffix))


@pytest.mark.parametrize(("suffix", "start"), [("yml", "a: "), ("yml", ""), ("toml", "a = "), ("json", "")])
def test_a_deeply_nested_file_does_not_crash_the_process(tmp_path: Path, suffix: str, start: str) -> None:
    """A parser written in C could overflow its stack, so the file is read in another process."""
    path = file_with(tmp_path, start + "[" * 100_000 + "]" * 100_000, suffix)
    code = "import sys; from pathlib import Path; from rsspot.config.files import read; read(Path(sys.argv[1]))"
    process = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert process.returncode == 1
    assert "ConfigError" in process.stderr and "nested too deep" in process.stderr


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("content", [b"\xff\xfe\x00\x01" * 50, b"\x00" * 100, b"\x89PNG\r\n\x1a\n\x00"])
def test_binary_content_is_a_config_error(tmp_path: Path, suffix: str, content: bytes) -> None:
    """In every format."""
    path = tmp_path / f"config.{suffix}"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"config\."):
        read(path)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("content", [[], [1], "words", 1])
def test_a_file_that_is_not_a_mapping_is_a_config_error(tmp_path: Path, suffix: str, content: Any) -> None:
    """A TOML file is always a mapping. An empty list in YAML counts as an empty file."""
    if suffix == "toml" or (suffix in {"yml", "yaml"} and content == []):
        return
    with pytest.raises(ConfigError, match="must contain a mapping"):
        read(file_with(tmp_path, json.dumps(content), suffix))


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, suffix: str) -> None:
    """A file of the maximum size is read, one with one more byte is not."""
    path = file_with(tmp_path, "{}".ljust(MAX_BYTES) if suffix != "toml" else "#".ljust(MAX_BYTES), suffix)
    assert read(path).profiles == {}
    path.write_text("#".ljust(MAX_BYTES + 1))
    with pytest.raises(ConfigError, match="larger than 1 MiB"):
        read(path)


def test_a_folder_is_not_a_config_file(tmp_path: Path) -> None:
    """It is refused if it was named, and skipped at a default path."""
    folder = tmp_path / ".config" / "rsspot" / "config.yml"
    folder.mkdir(parents=True)
    with pytest.raises(ConfigError, match="no config file at"):
        resolve_file(folder)
    with pytest.raises(ConfigError, match="cannot read"):
        read(folder)
    assert resolve(environ={"HOME": str(tmp_path)}).config_file is None


def test_a_file_without_read_permission_is_a_config_error(tmp_path: Path) -> None:
    """The message includes the reason that the operating system gives."""
    path = file_with(tmp_path, "org: x")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user can read every file")
    with pytest.raises(ConfigError, match="Permission denied"):
        resolve_file(path)


@pytest.mark.skipif(not Path("/proc/self/mem").is_file(), reason="needs a file that exists and cannot be read")
def test_a_read_error_is_a_config_error(tmp_path: Path) -> None:
    """Such as a disk error: the file exists and may be read, but reading fails."""
    path = tmp_path / "config.yml"
    path.symlink_to("/proc/self/mem")
    with pytest.raises(ConfigError, match=r"cannot read .*config\.yml"):
        resolve_file(path)


# Invalid values

INVALID = [
    ("timeout", "timeout", CANARY),
    ("timeout", "requestTimeoutSeconds", -1),
    ("retry.max_retries", "retry", {"maxRetries": CANARY}),
    ("retry.max_retries", "retry", {"max_retries": 101}),
    ("retry.jitter", "retry", {"jitter": 1.5}),
    ("keyring", "keyring", CANARY),
    ("rate_limit", "rateLimit", 0),
    ("cache.enabled", "cache", {"enabled": CANARY}),
    ("cache.ttls", "cache", {"ttls": {"/a": CANARY}}),
    ("refresh_token", "refreshToken", [CANARY]),
    ("organization", "org", [CANARY]),
    ("most_response_bytes", "mostResponseBytes", 3),
    ("retry", "retry", CANARY),
]


@pytest.mark.parametrize("suffix", ["yml", "toml", "json"])
@pytest.mark.parametrize(("name", "key", "value"), INVALID)
def test_an_invalid_value_is_named_with_its_file_and_key(
    tmp_path: Path, suffix: str, name: str, key: str, value: Any
) -> None:
    """The message does not quote the value, which may be a misplaced token."""
    path = file_with(tmp_path, dumped(suffix, {"profiles": {"work": {key: value}}, "activeProfile": "work"}), suffix)
    with pytest.raises(ConfigError) as caught:
        resolve_file(path)
    message = str(caught.value).lower().replace("_", "")
    place = r":\d+:\d+: " if suffix == "yml" else ": "
    assert re.match(f"{path}{place}profiles.work.{key}", str(caught.value))
    assert name.rpartition(".")[2].replace("_", "") in message or key.lower() in message
    assert CANARY not in full_text(caught.value)


@pytest.mark.parametrize(
    ("variable", "name"),
    [
        ("RSSPOT_TIMEOUT", "timeout"),
        ("RSSPOT_MAX_RETRIES", "retry.max_retries"),
        ("SPOT_RETRY_WAIT_MAX", "retry.max_delay"),
        ("RSSPOT_RATE_LIMIT", "rate_limit"),
        ("RSSPOT_CACHE", "cache.enabled"),
        ("RSSPOT_MOST_RESPONSE_BYTES", "most_response_bytes"),
    ],
)
def test_an_invalid_environment_variable_is_named(tmp_path: Path, variable: str, name: str) -> None:
    """With the alias that was used, and with the setting."""
    resolved = resolve(environ={"HOME": str(tmp_path), variable: CANARY, "RSSPOT_REFRESH_TOKEN": CANARY})
    with pytest.raises(ConfigError, match=f"^{variable}: {name}: ") as caught:
        _ = resolved.options
    assert CANARY not in full_text(caught.value)


def test_an_invalid_argument_is_named(tmp_path: Path) -> None:
    """The message names the source of the invalid value, not of a value that it overrides."""
    config = {"profiles": {"default": {"refresh_token_file": "f", "refresh_token": "t"}}}
    resolved = resolve(config=config, environ={"HOME": str(tmp_path)}, **{"retry.max_retries": "many"})
    with pytest.raises(ConfigError, match=r"^argument: retry\.max_retries: "):
        _ = resolved.options
    (tmp_path / "t").write_text("token")
    settings = {"refresh_token": Setting("t", "right"), "refresh_token_file": Setting(3j, "wrong")}
    with pytest.raises(ConfigError, match=r"^wrong: refresh_token_file: "):
        _ = Resolved("default", settings, tmp_path / "state.db").options


# The refresh token in a file


def test_the_refresh_token_is_read_from_its_file(tmp_path: Path) -> None:
    """Surrounding whitespace is removed, and the source names the file."""
    token = tmp_path / "token"
    token.write_text(f"  {CANARY}\n")
    resolved = resolve_file(file_with(tmp_path, f"refreshTokenFile: {token}"))
    assert resolved.require("refresh_token") == CANARY
    shown = resolved.explain()
    assert shown["refresh_token"] == ("(secret)", f"{token} ({tmp_path / 'config.yml'} (default))")
    assert shown["refresh_token_file"][0] == str(token)
    assert CANARY not in f"{resolved!r} {shown}"


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe"])
def test_a_token_file_without_a_token_is_a_config_error(tmp_path: Path, content: bytes | None) -> None:
    """The message names the file and the variable. A failed request to the service would be less clear."""
    token = tmp_path / "token"
    if content is not None:
        token.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        resolve(environ={"HOME": str(tmp_path), "RSSPOT_REFRESH_TOKEN_FILE": str(token)})
    assert str(token) in str(caught.value) and "RSSPOT_REFRESH_TOKEN_FILE" in str(caught.value)


def test_a_token_file_that_is_not_needed_is_not_opened(tmp_path: Path) -> None:
    """A source with higher precedence has given a credential."""
    path = file_with(tmp_path, f"refreshTokenFile: {tmp_path / 'gone'}")
    assert resolve_file(path, refresh_token="given").get("refresh_token") == "given"
    assert resolve_file(path, access_token="given").get("refresh_token") is None


# Explaining


def test_every_setting_is_explained(tmp_path: Path) -> None:
    """Each with its source, including defaults. Secrets are masked."""
    resolved = resolve_file(file_with(tmp_path, f"refreshToken: {CANARY}\naccessToken: {CANARY}\nregion: dfw"))
    shown = resolved.explain()
    assert set(shown) == {name for name, _ in leaves(Profile)} | {"profile", "config_file", "state_path", "ledger"}
    source = f"{tmp_path / 'config.yml'} (default)"
    from_file = {name: each for name, each in shown.items() if each[1] == source}
    assert from_file == {
        "refresh_token": ("(secret)", source),
        "access_token": ("(secret)", source),
        "region": ("dfw", source),
    }
    assert shown["retry.max_retries"] == (4, "default")
    assert shown["state_path"] == (str(tmp_path / "state.db"), "beside the config file")
    assert CANARY not in f"{resolved!r} {resolved.options!r} {shown}"


@pytest.mark.parametrize("name", ["proxy", "base_url", "oauth_url", "feeds_url"])
@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (f"https://user:{CANARY}@host:3128/path", "https://(secret)@host:3128/path"),
        (f"http://{CANARY}@host", "http://(secret)@host"),
        (f"http://user:{CANARY}@{CANARY}@host", "http://(secret)@host"),
        (f"user:{CANARY}@host:3128", "(secret)@host:3128"),
        ("http://host:3128", "http://host:3128"),
    ],
)
def test_a_password_in_an_address_is_not_shown(tmp_path: Path, name: str, address: str, shown: str) -> None:
    """Whether the address has a scheme or not."""
    resolved = resolve(environ={"HOME": str(tmp_path)}, **{name: address})
    assert resolved.explain()[name] == (shown, "argument")
    assert resolved.get(name) == address
    assert CANARY not in f"{resolved!r}"
