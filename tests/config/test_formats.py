"""Config files in every format and spelling, and what somebody is told about one that cannot be used."""

from __future__ import annotations

import json
import os
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
    """The same with camelCase keys; names of profiles and path patterns are nobody's keys."""
    if not isinstance(value, dict):
        return value
    return {to_camel(key) if key.isidentifier() else key: camel(each) for key, each in value.items()}


def dumped(suffix: str, content: dict[str, Any]) -> str:
    """A mapping in a format."""
    if suffix == "toml":
        return tomlkit.dumps(content)
    return json.dumps(content) if suffix == "json" else yaml.safe_dump(content, sort_keys=False)


def resolved(path: Path, **arguments: Any) -> Resolved:
    """What a file comes to when nobody else says anything."""
    return resolve(config_path=path, environ={"HOME": str(path.parent)}, **arguments)


def values_of(found: Resolved) -> dict[str, Any]:
    """Every value, without where it is from."""
    return {name: setting.value for name, setting in found.settings.items()}


def file_with(folder: Path, text: str, suffix: str = "yml") -> Path:
    """A config file that says this."""
    path = folder / f"config.{suffix}"
    path.write_text(text, encoding="utf-8")
    return path


def complaint(error: RsspotError) -> str:
    """All that is said about an error anywhere."""
    return f"{error} {error!r} {error.hint} {error.__cause__!r} {error.__context__!r}"


# One schema


@pytest.mark.parametrize("spelling", [dict, camel], ids=["snake_case", "camelCase"])
@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_and_spelling_says_the_same(tmp_path: Path, suffix: str, spelling: Any) -> None:
    """Somebody who moves from one to another changes nothing."""
    wanted = resolve(config=WHOLE, environ={"HOME": str(tmp_path)})
    found = resolved(file_with(tmp_path, dumped(suffix, spelling(WHOLE)), suffix))
    assert values_of(found) == values_of(wanted)
    assert found.options == wanted.options
    assert found.profile == "work" and found.state_path == tmp_path / "elsewhere.db"
    assert found.options.retry.max_retries == 0 and found.options.retry.max_delay == 3
    assert found.options.cache.ttls == {"/apis/*/regions": 3600}


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
    """In a profile, in the preferences, and in a file that is one profile and nothing else."""
    for content in ({"profiles": {"default": {key: value}}}, {"preferences": {key: value}}, {key: value}):
        assert resolved(file_with(tmp_path, dumped(suffix, content), suffix)).get(name) == value


def test_the_official_clis_file_is_one_profile(tmp_path: Path) -> None:
    """All four keys that it writes; an empty token is none."""
    text = "org: acme\nrefreshToken: r\naccessToken: ''\nregion: us-east-iad-1\n"
    found = resolved(file_with(tmp_path, text))
    assert values_of(found) == {"organization": "acme", "refresh_token": "r", "region": "us-east-iad-1"}
    assert found.options.access_token is None


@pytest.mark.parametrize(
    "text",
    ["profiles: {work: {%s: 1}}", "%s: 1\nprofiles: {}", "preferences: {%s: 1}", "preferences: {retry: {%s: 1}}"],
)
def test_a_key_that_is_somebody_elses_is_let_be(tmp_path: Path, text: str) -> None:
    """At every depth; it means nothing."""
    found = resolved(file_with(tmp_path, f"{text % 'xyzzy'}\nactiveProfile: {'work' if 'work' in text else ''}"))
    assert found.settings == {}


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
def test_a_key_that_is_nearly_one_of_ours_is_a_slip(tmp_path: Path, text: str, key: str, hint: str) -> None:
    """It would be ignored in silence, and the setting with it."""
    path = file_with(tmp_path, text)
    with pytest.raises(ConfigError, match=f"unknown key '{key}'") as caught:
        read(path)
    assert caught.value.hint == f"did you mean '{hint}'?"
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("key", ["token", "url", "version", "editor", "extra", "path"])
def test_other_programs_words_are_not_taken_for_slips(tmp_path: Path, key: str) -> None:
    """A file may be shared with tools that have such keys."""
    assert (
        resolved(file_with(tmp_path, f"profiles: {{default: {{org: acme, {key}: x}}}}")).get("organization") == "acme"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("activeProfile: work\norg: acme\nprofiles: {work: {}}", "'org' belongs in a profile"),
        ("refreshTokn: x", "'refreshTokn' belongs in a profile"),
    ],
)
def test_a_setting_outside_of_every_profile_is_told(tmp_path: Path, text: str, said: str) -> None:
    """It would count for nothing."""
    with pytest.raises(ConfigError, match=said):
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
def test_a_file_that_cannot_be_parsed_is_named_with_the_place(
    tmp_path: Path, suffix: str, text: str, place: str
) -> None:
    """As line and column where the parser knows, and quoting nothing: the wrong place may be a token's."""
    path = file_with(tmp_path, text, suffix)
    with pytest.raises(ConfigError) as caught:
        read(path)
    assert f"{path}{place}" in str(caught.value) and "is not valid" in str(caught.value)
    assert CANARY not in f"{caught.value} {caught.value!r} {caught.value.hint} {caught.value.__cause__!r}"


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        ("yml", "region: 2024-99-99"),
        ("yml", "region: !!int abc"),
        ("yml", f"region: {'1' * 5000}"),
        ("toml", f"region = {'1' * 5000}"),
        ("json", f'{{"region": {"1" * 5000}}}'),
    ],
)
def test_a_value_that_no_parser_can_make_is_a_config_error(tmp_path: Path, suffix: str, text: str) -> None:
    """What looks like a date or a number and is none raises other errors inside the parsers."""
    with pytest.raises(ConfigError, match=r"config\.\w+.* is not valid"):
        read(file_with(tmp_path, text, suffix))


@pytest.mark.parametrize(("suffix", "start"), [("yml", "a: "), ("yml", ""), ("toml", "a = "), ("json", "")])
def test_a_file_nested_without_end_does_not_kill_the_process(tmp_path: Path, suffix: str, start: str) -> None:
    """A parser written in C overflows its stack; so this is tried in another process."""
    path = file_with(tmp_path, start + "[" * 100_000 + "]" * 100_000, suffix)
    code = "import sys; from pathlib import Path; from rsspot.config.files import read; read(Path(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ConfigError" in done.stderr and "nested too deep" in done.stderr


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
def test_a_file_that_is_no_mapping_is_a_config_error(tmp_path: Path, suffix: str, content: Any) -> None:
    """TOML cannot say it; an empty YAML file says nothing, which is fine."""
    if suffix == "toml" or (suffix in {"yml", "yaml"} and content == []):
        return
    with pytest.raises(ConfigError, match="must contain a mapping"):
        read(file_with(tmp_path, json.dumps(content), suffix))


@pytest.mark.parametrize("suffix", FORMATS)
def test_an_enormous_file_is_not_even_read(tmp_path: Path, suffix: str) -> None:
    """One byte more than a config file may have; as many as it may have are read."""
    path = file_with(tmp_path, "{}".ljust(MAX_BYTES) if suffix != "toml" else "#".ljust(MAX_BYTES), suffix)
    assert read(path).profiles == {}
    path.write_text("#".ljust(MAX_BYTES + 1))
    with pytest.raises(ConfigError, match="too large"):
        read(path)


def test_a_folder_is_no_config_file(tmp_path: Path) -> None:
    """Named, it is refused; in the usual place, it is passed over."""
    folder = tmp_path / ".config" / "rsspot" / "config.yml"
    folder.mkdir(parents=True)
    with pytest.raises(ConfigError, match="no config file at"):
        resolved(folder)
    with pytest.raises(ConfigError, match="cannot read"):
        read(folder)
    assert resolve(environ={"HOME": str(tmp_path)}).config_file is None


def test_a_file_that_may_not_be_read_is_a_config_error(tmp_path: Path) -> None:
    """With the system's own reason."""
    path = file_with(tmp_path, "org: x")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(ConfigError, match="Permission denied"):
        resolved(path)


@pytest.mark.skipif(not Path("/proc/self/mem").is_file(), reason="needs a file that exists and cannot be read")
def test_a_file_whose_reading_fails_is_a_config_error(tmp_path: Path) -> None:
    """A disk can fail whoever reads."""
    path = tmp_path / "config.yml"
    path.symlink_to("/proc/self/mem")
    with pytest.raises(ConfigError, match=r"cannot read .*config\.yml"):
        resolved(path)


# Values that cannot be used

UNUSABLE = [
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
@pytest.mark.parametrize(("name", "key", "value"), UNUSABLE)
def test_an_unusable_value_names_file_and_key(tmp_path: Path, suffix: str, name: str, key: str, value: Any) -> None:
    """And does not repeat the value, which may be a token in the wrong line."""
    path = file_with(tmp_path, dumped(suffix, {"profiles": {"work": {key: value}}, "activeProfile": "work"}), suffix)
    with pytest.raises(ConfigError) as caught:
        resolved(path)
    said = str(caught.value).lower().replace("_", "")
    assert str(caught.value).startswith(f"{path}: profiles.work.{key.partition('.')[0]}")
    assert name.rpartition(".")[2].replace("_", "") in said or key.lower() in said
    assert CANARY not in complaint(caught.value)


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
def test_an_unusable_variable_is_named(tmp_path: Path, variable: str, name: str) -> None:
    """By its own name, whichever alias it was, and by what it sets."""
    found = resolve(environ={"HOME": str(tmp_path), variable: CANARY, "RSSPOT_REFRESH_TOKEN": CANARY})
    with pytest.raises(ConfigError, match=f"^{variable}: {name}: ") as caught:
        _ = found.options
    assert CANARY not in complaint(caught.value)


def test_an_unusable_argument_is_named_as_one(tmp_path: Path) -> None:
    """And what it hid is not blamed."""
    config = {"profiles": {"default": {"refresh_token_file": "f", "refresh_token": "t"}}}
    found = resolve(config=config, environ={"HOME": str(tmp_path)}, **{"retry.max_retries": "many"})
    with pytest.raises(ConfigError, match=r"^argument: retry\.max_retries: "):
        _ = found.options
    (tmp_path / "t").write_text("token")
    settings = {"refresh_token": Setting("t", "right"), "refresh_token_file": Setting(3j, "wrong")}
    with pytest.raises(ConfigError, match=r"^wrong: refresh_token_file: "):
        _ = Resolved("default", settings, tmp_path / "state.db").options


# The refresh token in a file


def test_the_refresh_token_is_read_from_its_file(tmp_path: Path) -> None:
    """Without the blanks around it, and saying where it is from."""
    token = tmp_path / "token"
    token.write_text(f"  {CANARY}\n")
    found = resolved(file_with(tmp_path, f"refreshTokenFile: {token}"))
    assert found.require("refresh_token") == CANARY
    shown = found.explain()
    assert shown["refresh_token"] == ("(secret)", f"{token} ({tmp_path / 'config.yml'} (default))")
    assert shown["refresh_token_file"][0] == str(token)
    assert CANARY not in f"{found!r} {shown}"


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe"])
def test_a_token_file_that_holds_none_is_a_config_error(tmp_path: Path, content: bytes | None) -> None:
    """Naming the file and who named it: asking the service without a token would only tell less."""
    token = tmp_path / "token"
    if content is not None:
        token.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        resolve(environ={"HOME": str(tmp_path), "RSSPOT_REFRESH_TOKEN_FILE": str(token)})
    assert str(token) in str(caught.value) and "RSSPOT_REFRESH_TOKEN_FILE" in str(caught.value)


def test_a_token_file_nobody_needs_is_not_opened(tmp_path: Path) -> None:
    """A stronger source has named the credential."""
    path = file_with(tmp_path, f"refreshTokenFile: {tmp_path / 'gone'}")
    assert resolved(path, refresh_token="given").get("refresh_token") == "given"
    assert resolved(path, access_token="given").get("refresh_token") is None


# Explaining


def test_every_setting_is_explained(tmp_path: Path) -> None:
    """Where each comes from, defaults too, and the secrets only as being there."""
    found = resolved(file_with(tmp_path, f"refreshToken: {CANARY}\naccessToken: {CANARY}\nregion: dfw"))
    shown = found.explain()
    assert set(shown) == {name for name, _ in leaves(Profile)} | {"profile", "config_file", "state_path"}
    source = f"{tmp_path / 'config.yml'} (default)"
    told = {name: each for name, each in shown.items() if each[1] == source}
    assert told == {
        "refresh_token": ("(secret)", source),
        "access_token": ("(secret)", source),
        "region": ("dfw", source),
    }
    assert shown["retry.max_retries"] == (4, "default")
    assert shown["state_path"] == (str(tmp_path / "state.db"), "beside the config file")
    assert CANARY not in f"{found!r} {found.options!r} {shown}"


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
    """With a scheme before it or without."""
    found = resolve(environ={"HOME": str(tmp_path)}, **{name: address})
    assert found.explain()[name] == (shown, "argument")
    assert found.get(name) == address
    assert CANARY not in f"{found!r}"
