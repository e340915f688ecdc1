"""The precedence of sources, for every setting and every pair of sources, and which config file is read."""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from rsspot.config.loader import Resolved, resolve, state_path_of
from rsspot.config.models import Profile, leaves, nested
from rsspot.errors import ConfigError
from rsspot.settings import ALIASES, CONFIG_PATHS, Setting

LEVELS = ("argument", "override", "environment", "remembered", "profile", "preferences")
"""From the highest precedence to the lowest, without the built-in defaults."""
DEFAULTS = {name: field.get_default(call_default_factory=True) for name, field in leaves(Profile)}
NAMES = sorted(DEFAULTS)
REMEMBERED = ("organization", "region")
ORGANIZATIONS = ("organization", "organization_id")
CREDENTIALS = ("refresh_token", "refresh_token_file", "access_token", "credential_command")
OF_A_PROFILE = [(name, variable) for name in ALIASES if name in DEFAULTS for variable in ALIASES[name]]


def sample(name: str, level: str) -> Any:
    """A valid value of a setting, different for each level if possible."""
    number = LEVELS.index(level)
    special = {
        "retry.max_retries": number,
        "retry.jitter": number / 10,
        "retry.statuses": (500 + number,),
        "cache.ttls": {f"/{level}": 1.0},
        "rate_limit": number + 0.5,
        "credential_command": [f"program-of-{level}", "--print"],
    }
    if name in special:
        return special[name]
    default = DEFAULTS[name]
    if isinstance(default, bool):
        return number % 2 == 0
    return type(default)(2000 + number) if isinstance(default, int | float) else f"{name}-from-{level}"


def effective(name: str) -> str:
    """The setting that has the value: an ID is used as the organization."""
    return "organization" if name == "organization_id" else name


def levels_of(name: str) -> tuple[str, ...]:
    """The levels at which a setting can be given."""
    unavailable = {"environment": name not in ALIASES, "remembered": name not in REMEMBERED}
    return tuple(level for level in LEVELS if not unavailable.get(level))


def resolve_levels(home: Path, *settings: tuple[str, str, Any]) -> Resolved:
    """Resolve settings, each a (level, name, value)."""
    by_level: dict[str, dict[str, Any]] = {level: {} for level in LEVELS}
    for level, name, value in settings:
        by_level[level][name] = value
    environ = {ALIASES[name][-1]: str(value) for name, value in by_level["environment"].items()}
    return resolve(
        config={"profiles": {"work": nested(by_level["profile"])}, "preferences": nested(by_level["preferences"])},
        environ={"HOME": str(home), **environ},
        profile="work",
        preferences=lambda path: lambda profile: by_level["remembered"] if profile == "work" else {},
        overrides={name: Setting(value, "override") for name, value in by_level["override"].items()},
        **by_level["argument"],
    )


def typed(resolved: Resolved, name: str) -> Any:
    """The validated value of a setting."""
    value: Any = resolved.options
    for part in name.split("."):
        value = getattr(value, part)
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def source_of(name: str, level: str, home: Path) -> str:
    """The source that is shown for a value of a level."""
    state = home / ".config" / "rsspot" / "state.db"
    return {
        "environment": ALIASES.get(name, ("",))[-1],
        "remembered": f"{state} (default {name})",
        "profile": "config (work)",
        "preferences": "config (preferences)",
    }.get(level, level)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ORGANIZATIONS + CREDENTIALS])
def test_the_higher_of_two_levels_wins(tmp_path: Path, name: str) -> None:
    """For each setting and each pair of its levels. The value and its source are checked."""
    for higher, lower in combinations(levels_of(name), 2):
        resolved = resolve_levels(tmp_path, (lower, name, sample(name, lower)), (higher, name, sample(name, higher)))
        assert typed(resolved, name) == sample(name, higher), (higher, lower)
        assert resolved.explain()[name][1] == source_of(name, higher, tmp_path), (higher, lower)


@pytest.mark.parametrize("name", NAMES)
def test_every_level_wins_over_the_default(tmp_path: Path, name: str) -> None:
    """Without a level, the value and the source are the default."""
    assert resolve_levels(tmp_path).explain()[name] == (DEFAULTS[name], "default")
    for level in levels_of(name):
        value = str(token_file(tmp_path, level)) if name == "refresh_token_file" else sample(name, level)
        resolved = resolve_levels(tmp_path, (level, name, value))
        resolved_name = "organization" if name == "organization_id" else name
        assert typed(resolved, resolved_name) == value
        assert resolved.explain()[resolved_name][1] == source_of(name, level, tmp_path)


def token_file(folder: Path, level: str) -> Path:
    """A file that contains a refresh token."""
    path = folder / f"token-{level}"
    path.write_text(f"token-in-file-of-{level}\n")
    return path


@pytest.mark.parametrize(("high", "low"), list(product(ORGANIZATIONS, repeat=2)))
def test_a_higher_organization_replaces_both_lower_forms(tmp_path: Path, high: str, low: str) -> None:
    """For example, an ID in the file does not override a name given as an argument."""
    for higher, lower in combinations(LEVELS, 2):
        if higher in levels_of(high) and lower in levels_of(low):
            resolved = resolve_levels(tmp_path, (higher, high, "expected"), (lower, low, "replaced"))
            assert resolved.get("organization") == "expected", (higher, lower)
            assert resolved.get("organization_id") is None


def test_an_id_takes_precedence_over_a_name_from_the_same_level(tmp_path: Path) -> None:
    """At every level where both can be given."""
    for level in ("argument", "override", "profile", "preferences"):
        assert resolve_levels(tmp_path, (level, "organization", "name"), (level, "organization_id", "id")).get(
            "organization"
        ) == ("id")


@pytest.mark.parametrize(("high", "low"), list(product(CREDENTIALS, repeat=2)))
def test_a_higher_credential_replaces_every_lower_one(tmp_path: Path, high: str, low: str) -> None:
    """Otherwise a command could use another account, whose credential is in the config file."""

    def credential(name: str, level: str) -> Any:
        if name == "credential_command":
            return sample(name, level)
        return str(token_file(tmp_path, level)) if name == "refresh_token_file" else f"{name}-of-{level}"

    for higher, lower in combinations(LEVELS, 2):
        if higher not in levels_of(high) or lower not in levels_of(low):
            continue
        resolved = resolve_levels(
            tmp_path, (higher, high, credential(high, higher)), (lower, low, credential(low, lower))
        )
        credentials = {name: resolved.get(name) for name in CREDENTIALS if resolved.get(name) is not None}
        expected = {high: credential(high, higher)}
        if high == "refresh_token_file":
            expected["refresh_token"] = f"token-in-file-of-{higher}"
        assert credentials == expected, (higher, lower)


def test_two_credentials_of_one_level_are_both_kept(tmp_path: Path) -> None:
    """The access token is used until it expires, then the refresh token. A token takes precedence over its file."""
    both = resolve_levels(tmp_path, ("profile", "access_token", "a"), ("profile", "refresh_token", "r"))
    assert (both.get("access_token"), both.get("refresh_token")) == ("a", "r")
    file = str(tmp_path / "never-read")
    assert resolve_levels(tmp_path, ("profile", "refresh_token_file", file), ("profile", "refresh_token", "r")).get(
        "refresh_token"
    ) == ("r")


@pytest.mark.parametrize("level", [level for level in LEVELS if level != "remembered"])
def test_zero_retries_is_a_valid_setting(tmp_path: Path, level: str) -> None:
    """Zero does not count as not set."""
    resolved = resolve_levels(tmp_path, (level, "retry.max_retries", 0), *[("preferences", "retry.base_delay", 1.5)])
    assert (resolved.options.retry.max_retries, resolved.options.retry.base_delay) == (0, 1.5)


@pytest.mark.parametrize("name", ["keyring", "history", "cache.enabled", "cache.persistent"])
def test_false_overrides_true(tmp_path: Path, name: str) -> None:
    """False does not count as not set."""
    assert typed(resolve_levels(tmp_path, ("argument", name, False), ("profile", name, True)), name) is False


# The environment


@pytest.mark.parametrize(("name", "variable"), OF_A_PROFILE)
def test_every_alias_of_every_variable_works(tmp_path: Path, name: str, variable: str) -> None:
    """An empty alias before it is skipped, and an alias after it is not used."""
    value = str(token_file(tmp_path, "environment")) if name == "refresh_token_file" else sample(name, "environment")
    earlier = ALIASES[name][: ALIASES[name].index(variable)]
    later = ALIASES[name][ALIASES[name].index(variable) + 1 :]
    environ = dict.fromkeys(earlier, " \n") | dict.fromkeys(later, "never used") | {variable: f" {value} "}
    resolved = resolve(environ={"HOME": str(tmp_path), **environ})
    assert typed(resolved, effective(name)) == value
    assert resolved.explain()[effective(name)][1] == variable


@pytest.mark.parametrize(("name", "variable"), OF_A_PROFILE)
def test_an_empty_variable_does_not_override_the_file(tmp_path: Path, name: str, variable: str) -> None:
    """People use `export RSSPOT_ORG=` in a shell to unset a variable."""
    value = str(token_file(tmp_path, "profile")) if name == "refresh_token_file" else sample(name, "profile")
    config = {"profiles": {"default": nested({name: value})}}
    resolved = resolve(config=config, environ={"HOME": str(tmp_path), variable: ""})
    assert typed(resolved, effective(name)) == value


@pytest.mark.parametrize("variable", ALIASES["profile"])
def test_every_alias_selects_a_profile(tmp_path: Path, variable: str) -> None:
    """An empty alias before it is skipped."""
    resolved = resolve(
        config={"profiles": {"play": {"org": "x"}}},
        environ={"HOME": str(tmp_path), "RSSPOT_PROFILE": "", variable: "play"},
    )
    assert (resolved.profile, resolved.profile_source, resolved.get("organization")) == ("play", variable, "x")


# Profiles


def resolve_selected(home: Path, names: Collection[str]) -> Resolved:
    """Resolve with a different profile selected at each of these levels."""
    return resolve(
        config={
            "profiles": {name: {"org": f"org-of-{name}"} for name in (*LEVELS, "active")},
            **({"activeProfile": "active"} if "active" in names else {}),
        },
        environ={"HOME": str(home)} | ({"SPOT_PROFILE": "environment"} if "environment" in names else {}),
        profile="argument" if "argument" in names else None,
        overrides={"profile": Setting("override", "use_profile")} if "override" in names else {},
        preferences=lambda path: (
            lambda profile: {"profile": "remembered"} if profile is None and "remembered" in names else {}
        ),
    )


def test_a_profile_selected_at_a_higher_level_wins(tmp_path: Path) -> None:
    """No setting of the other profile is used."""
    levels = ("argument", "override", "environment", "remembered", "active")
    for higher, lower in combinations(levels, 2):
        resolved = resolve_selected(tmp_path, (higher, lower))
        assert (resolved.profile, resolved.get("organization")) == (higher, f"org-of-{higher}"), lower


@pytest.mark.parametrize("level", ["argument", "override", "environment", "remembered"])
def test_a_selected_profile_that_does_not_exist_is_refused(tmp_path: Path, level: str) -> None:
    """At every level. Otherwise another account would be used silently."""
    arguments: dict[str, Any] = {
        "argument": {"profile": "gone"},
        "override": {"overrides": {"profile": Setting("gone", "use_profile")}},
        "environment": {"environ": {"HOME": str(tmp_path), "RSSPOT_PROFILE": "gone"}},
        "remembered": {"preferences": lambda path: lambda profile: {} if profile else {"profile": "gone"}},
    }
    with pytest.raises(ConfigError, match="no profile 'gone'"):
        resolve(config={"profiles": {"work": {}}}, **{"environ": {"HOME": str(tmp_path)}, **arguments[level]})


def test_stored_defaults_come_from_the_state_and_profile_in_use(tmp_path: Path) -> None:
    """First the default profile is read, then its defaults. If a profile is given, only its defaults are read."""
    reads: list[tuple[Path, str | None]] = []

    def preferences(path: Path) -> Callable[[str | None], dict[str, str]]:
        def of(profile: str | None) -> dict[str, str]:
            reads.append((path, profile))
            return {"region": f"region-of-{profile}"} if profile else {"profile": "play"}

        return of

    state = tmp_path / "elsewhere.db"
    settings: dict[str, Any] = {
        "config": {"profiles": {"play": {"region": "file"}, "work": {"region": "file"}}},
        "environ": {"HOME": str(tmp_path), "RSSPOT_STATE_PATH": str(state)},
        "preferences": preferences,
    }
    assert resolve(**settings).get("region") == "region-of-play"
    assert reads == [(state, None), (state, "play")]
    reads.clear()
    assert resolve(**settings, profile="work").get("region") == "region-of-work"
    assert reads == [(state, "work")]


# Files


def test_config_files_have_an_order_of_precedence(tmp_path: Path) -> None:
    """The arguments, the variables, the default paths, and then the official CLI's file."""
    folder = tmp_path / ".config" / "rsspot"
    folder.mkdir(parents=True)
    named = {name: tmp_path / f"{name}.yml" for name in ("config_path", *CONFIG_PATHS)}
    default_paths = [folder / name for name in ("config.yml", "config.yaml", "config.toml", "config.json")]
    for path in (*named.values(), *default_paths, tmp_path / ".spot_config"):
        texts = {".toml": 'org = "{}"', ".json": '{{"org": "{}"}}'}
        path.write_text(texts.get(path.suffix, "org: {}").format(path.name))
    environ = {"HOME": str(tmp_path)} | {name: str(named[name]) for name in CONFIG_PATHS}
    arguments: dict[str, Any] = {"config": {"org": "mapping"}, "config_path": named["config_path"]}
    assert resolve(environ=environ, **arguments).get("organization") == "mapping"
    del arguments["config"]
    assert resolve(environ=environ, **arguments).get("organization") == "config_path.yml"
    for name in CONFIG_PATHS:
        assert resolve(environ=environ).get("organization") == f"{name}.yml"
        # An empty variable is skipped.
        environ[name] = ""
    for path in (*default_paths, tmp_path / ".spot_config"):
        resolved = resolve(environ=environ)
        assert (resolved.get("organization"), resolved.config_file) == (path.name, path)
        path.unlink()
    assert resolve(environ=environ).config_file is None


@pytest.mark.parametrize("variable", CONFIG_PATHS)
def test_a_named_file_that_does_not_exist_is_an_error(tmp_path: Path, variable: str) -> None:
    """Even if there is a file at a default path, or a later variable names one."""
    (tmp_path / ".spot_config").write_text("org: other")
    environ = {"HOME": str(tmp_path), "SPOT_CONFIG_FILE": str(tmp_path / ".spot_config")}
    with pytest.raises(ConfigError, match=r"no config file at .*gone\.toml"):
        resolve(environ=environ | {variable: str(tmp_path / "gone.toml")})


@pytest.mark.parametrize("suffix", ["yml", "toml", "json"])
def test_the_path_of_state_db_has_an_order_of_precedence(tmp_path: Path, suffix: str) -> None:
    """Argument, variable, `statePath` relative to the config file, the folder of the config file, default path."""
    folder = tmp_path / "project"
    folder.mkdir()
    file = folder / f"config.{suffix}"
    texts = {"yml": "statePath: {}", "toml": 'statePath = "{}"', "json": '{{"state_path": "{}"}}'}
    home = {"HOME": str(tmp_path)}
    environ = home | {"RSSPOT_STATE_PATH": "/variable.db"}

    file.write_text(texts[suffix].format("deep/state.db"))
    assert resolve(environ=environ, config_path=file, state_path="/argument.db").state_path == Path("/argument.db")
    assert resolve(environ=environ, config_path=file).state_path == Path("/variable.db")
    resolved = resolve(environ=home, config_path=file)
    assert (resolved.state_path, resolved.state_source) == (folder / "deep" / "state.db", f"{file} (statePath)")

    file.write_text(texts[suffix].format("/absolute.db"))
    assert resolve(environ=home, config_path=file).state_path == Path("/absolute.db")
    file.write_text("{}" if suffix != "toml" else "")
    assert resolve(environ=home, config_path=file).state_path == folder / "state.db"
    assert resolve(environ=home).state_path == tmp_path / ".config" / "rsspot" / "state.db"
    assert resolve(environ=home, config={}).state_path == tmp_path / ".config" / "rsspot" / "state.db"
    assert list(folder.iterdir()) == [file]


def test_state_db_is_not_created_beside_the_official_clis_file(tmp_path: Path) -> None:
    """A state.db directly in the home folder would be unexpected."""
    (tmp_path / ".spot_config").write_text("org: x")
    environ = {"HOME": str(tmp_path)}
    default_path = tmp_path / ".config" / "rsspot" / "state.db"
    assert resolve(environ=environ).state_path == default_path
    assert resolve(environ=environ, config_path=tmp_path / ".spot_config").state_path == default_path


def test_an_unknown_argument_is_refused_and_an_empty_one_ignored(tmp_path: Path) -> None:
    """A typo in a script must not silently select another organization."""
    environ = {"HOME": str(tmp_path), "RSSPOT_ORG": "acme"}
    with pytest.raises(TypeError, match="orgnization"):
        resolve(environ=environ, orgnization="other")
    assert resolve(environ=environ, organization="").get("organization") == "acme"


def test_a_given_credential_turns_off_a_lower_keyring(tmp_path: Path) -> None:
    """When an access token from the environment expires, it must not be replaced by another account's."""
    config = {"profiles": {"default": {"keyring": True}}}
    home = {"HOME": str(tmp_path)}
    assert resolve(config=config, environ=home).options.keyring
    assert not resolve(config=config, environ={**home, "RSSPOT_ACCESS_TOKEN": "t"}).options.keyring
    both = {**home, "RSSPOT_KEYRING": "true"}
    assert resolve(config={"profiles": {"default": {"refreshToken": "r"}}}, environ=both).options.keyring


def test_the_path_of_state_db_does_not_depend_on_the_profile(tmp_path: Path) -> None:
    """It is needed to correct a default profile that does not exist."""
    file = tmp_path / "config.yml"
    file.write_text("activeProfile: gone\nstatePath: here.db\nprofiles: {work: {}}\n")
    assert state_path_of(file, environ={"HOME": str(tmp_path)}) == tmp_path / "here.db"
