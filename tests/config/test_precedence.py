"""Every setting from every source, pair by pair: who wins, who is displaced, and which file is read."""

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
"""From the strongest to the weakest; below them are only defaults."""
DEFAULTS = {name: field.get_default(call_default_factory=True) for name, field in leaves(Profile)}
NAMES = sorted(DEFAULTS)
REMEMBERED = ("organization", "region")
ORGANIZATIONS = ("organization", "organization_id")
CREDENTIALS = ("refresh_token", "refresh_token_file", "access_token")
OF_A_PROFILE = [(name, variable) for name in ALIASES if name in DEFAULTS for variable in ALIASES[name]]


def sample(name: str, level: str) -> Any:
    """A value that a setting may have, another for each level as far as there are others."""
    number = LEVELS.index(level)
    special = {
        "retry.max_retries": number,
        "retry.jitter": number / 10,
        "retry.statuses": (500 + number,),
        "cache.ttls": {f"/{level}": 1.0},
        "rate_limit": number + 0.5,
    }
    if name in special:
        return special[name]
    default = DEFAULTS[name]
    if isinstance(default, bool):
        return number % 2 == 0
    return type(default)(2000 + number) if isinstance(default, int | float) else f"{name}-from-{level}"


def levels_of(name: str) -> tuple[str, ...]:
    """Where a setting can be given at all."""
    unable = {"environment": name not in ALIASES, "remembered": name not in REMEMBERED}
    return tuple(level for level in LEVELS if not unable.get(level))


def given(home: Path, *said: tuple[str, str, Any]) -> Resolved:
    """What comes of (level, setting, value), each said at its level."""
    by_level: dict[str, dict[str, Any]] = {level: {} for level in LEVELS}
    for level, name, value in said:
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


def typed(found: Resolved, name: str) -> Any:
    """A setting as the program uses it."""
    value: Any = found.options
    for part in name.split("."):
        value = getattr(value, part)
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def source_of(name: str, level: str, home: Path) -> str:
    """What a value of a level is told to be from."""
    state = home / ".config" / "rsspot" / "state.db"
    return {
        "environment": ALIASES.get(name, ("",))[-1],
        "remembered": f"{state} (default {name})",
        "profile": "config (work)",
        "preferences": "config (preferences)",
    }.get(level, level)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ORGANIZATIONS + CREDENTIALS])
def test_the_higher_of_two_sources_wins(tmp_path: Path, name: str) -> None:
    """For each setting and each two of the places where it can be given, with the value and its source."""
    for higher, lower in combinations(levels_of(name), 2):
        found = given(tmp_path, (lower, name, sample(name, lower)), (higher, name, sample(name, higher)))
        assert typed(found, name) == sample(name, higher), (higher, lower)
        assert found.explain()[name][1] == source_of(name, higher, tmp_path), (higher, lower)


@pytest.mark.parametrize("name", NAMES)
def test_any_source_wins_over_the_default(tmp_path: Path, name: str) -> None:
    """And what nobody says is the default, and says so."""
    assert given(tmp_path).explain()[name] == (DEFAULTS[name], "default")
    for level in levels_of(name):
        value = str(token_file(tmp_path, level)) if name == "refresh_token_file" else sample(name, level)
        found = given(tmp_path, (level, name, value))
        told = "organization" if name == "organization_id" else name
        assert typed(found, told) == value
        assert found.explain()[told][1] == source_of(name, level, tmp_path)


def token_file(folder: Path, level: str) -> Path:
    """A file that holds a refresh token."""
    path = folder / f"token-{level}"
    path.write_text(f"token-in-file-of-{level}\n")
    return path


@pytest.mark.parametrize(("high", "low"), list(product(ORGANIZATIONS, repeat=2)))
def test_an_organization_named_higher_displaces_every_lower_name_of_one(tmp_path: Path, high: str, low: str) -> None:
    """An id in the file must not override the name that was asked for."""
    for higher, lower in combinations(LEVELS, 2):
        if higher in levels_of(high) and lower in levels_of(low):
            found = given(tmp_path, (higher, high, "wanted"), (lower, low, "displaced"))
            assert found.get("organization") == "wanted", (higher, lower)
            assert found.get("organization_id") is None


def test_an_id_says_more_than_a_name_from_the_same_place(tmp_path: Path) -> None:
    """Only there."""
    for level in ("argument", "override", "profile", "preferences"):
        assert given(tmp_path, (level, "organization", "name"), (level, "organization_id", "id")).get(
            "organization"
        ) == ("id")


@pytest.mark.parametrize(("high", "low"), list(product(CREDENTIALS, repeat=2)))
def test_a_credential_named_higher_displaces_every_lower_one(tmp_path: Path, high: str, low: str) -> None:
    """Whoever names one account must never act as another that a file happens to know."""

    def credential(name: str, level: str) -> str:
        return str(token_file(tmp_path, level)) if name == "refresh_token_file" else f"{name}-of-{level}"

    for higher, lower in combinations(levels_of("access_token"), 2):
        found = given(tmp_path, (higher, high, credential(high, higher)), (lower, low, credential(low, lower)))
        held = {name: found.get(name) for name in CREDENTIALS if found.get(name) is not None}
        wanted = {high: credential(high, higher)}
        if high == "refresh_token_file":
            wanted["refresh_token"] = f"token-in-file-of-{higher}"
        assert held == wanted, (higher, lower)


def test_two_credentials_of_one_place_are_both_kept(tmp_path: Path) -> None:
    """An access token serves until it expires, the refresh token then; and a token says more than a file."""
    both = given(tmp_path, ("profile", "access_token", "a"), ("profile", "refresh_token", "r"))
    assert (both.get("access_token"), both.get("refresh_token")) == ("a", "r")
    file = str(tmp_path / "never-read")
    assert given(tmp_path, ("profile", "refresh_token_file", file), ("profile", "refresh_token", "r")).get(
        "refresh_token"
    ) == ("r")


@pytest.mark.parametrize("level", [level for level in LEVELS if level != "remembered"])
def test_no_retries_at_all_is_honored(tmp_path: Path, level: str) -> None:
    """Zero is a wish and not the lack of one."""
    found = given(tmp_path, (level, "retry.max_retries", 0), *[("preferences", "retry.base_delay", 1.5)])
    assert (found.options.retry.max_retries, found.options.retry.base_delay) == (0, 1.5)


@pytest.mark.parametrize("name", ["keyring", "history", "cache.enabled", "cache.persistent"])
def test_false_is_honored_over_true(tmp_path: Path, name: str) -> None:
    """For the same reason."""
    assert typed(given(tmp_path, ("argument", name, False), ("profile", name, True)), name) is False


# The environment


@pytest.mark.parametrize(("name", "variable"), OF_A_PROFILE)
def test_every_alias_of_every_variable_works(tmp_path: Path, name: str, variable: str) -> None:
    """And an empty one before it says nothing."""
    value = str(token_file(tmp_path, "environment")) if name == "refresh_token_file" else sample(name, "environment")
    former = ALIASES[name][: ALIASES[name].index(variable)]
    latter = ALIASES[name][ALIASES[name].index(variable) + 1 :]
    environ = dict.fromkeys(former, " \n") | dict.fromkeys(latter, "never looked at") | {variable: f" {value} "}
    found = resolve(environ={"HOME": str(tmp_path), **environ})
    assert typed(found, name) == value
    assert found.explain()[name][1] == variable


@pytest.mark.parametrize(("name", "variable"), OF_A_PROFILE)
def test_an_empty_variable_does_not_hide_the_file(tmp_path: Path, name: str, variable: str) -> None:
    """`export RSSPOT_ORG=` in a shell is how people unset."""
    value = str(token_file(tmp_path, "profile")) if name == "refresh_token_file" else sample(name, "profile")
    config = {"profiles": {"default": nested({name: value})}}
    assert typed(resolve(config=config, environ={"HOME": str(tmp_path), variable: ""}), name) == value


@pytest.mark.parametrize("variable", ALIASES["profile"])
def test_every_alias_names_a_profile(tmp_path: Path, variable: str) -> None:
    """As the argument does."""
    found = resolve(
        config={"profiles": {"play": {"org": "x"}}},
        environ={"HOME": str(tmp_path), "RSSPOT_PROFILE": "", variable: "play"},
    )
    assert (found.profile, found.profile_source, found.get("organization")) == ("play", variable, "x")


# Profiles


def chosen_profile(home: Path, names: Collection[str]) -> Resolved:
    """What is used when a profile of its own is named in each of these places."""
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


def test_a_profile_named_higher_displaces_the_one_named_lower(tmp_path: Path) -> None:
    """Nothing of the other profile is left."""
    places = ("argument", "override", "environment", "remembered", "active")
    for higher, lower in combinations(places, 2):
        found = chosen_profile(tmp_path, (higher, lower))
        assert (found.profile, found.get("organization")) == (higher, f"org-of-{higher}"), lower


@pytest.mark.parametrize("place", ["argument", "override", "environment", "remembered"])
def test_a_profile_that_is_not_there_is_refused_wherever_it_was_named(tmp_path: Path, place: str) -> None:
    """Rather than silently using another account."""
    where: dict[str, Any] = {
        "argument": {"profile": "gone"},
        "override": {"overrides": {"profile": Setting("gone", "use_profile")}},
        "environment": {"environ": {"HOME": str(tmp_path), "RSSPOT_PROFILE": "gone"}},
        "remembered": {"preferences": lambda path: lambda profile: {} if profile else {"profile": "gone"}},
    }
    with pytest.raises(ConfigError, match="no profile 'gone'"):
        resolve(config={"profiles": {"work": {}}}, **{"environ": {"HOME": str(tmp_path)}, **where[place]})


def test_what_is_remembered_is_asked_of_the_state_and_profile_in_use(tmp_path: Path) -> None:
    """First which profile, then what of it; and a profile that was named is not asked for."""
    asked: list[tuple[Path, str | None]] = []

    def preferences(path: Path) -> Callable[[str | None], dict[str, str]]:
        def of(profile: str | None) -> dict[str, str]:
            asked.append((path, profile))
            return {"region": f"region-of-{profile}"} if profile else {"profile": "play"}

        return of

    state = tmp_path / "elsewhere.db"
    settings: dict[str, Any] = {
        "config": {"profiles": {"play": {"region": "file"}, "work": {"region": "file"}}},
        "environ": {"HOME": str(tmp_path), "RSSPOT_STATE_PATH": str(state)},
        "preferences": preferences,
    }
    assert resolve(**settings).get("region") == "region-of-play"
    assert asked == [(state, None), (state, "play")]
    asked.clear()
    assert resolve(**settings, profile="work").get("region") == "region-of-work"
    assert asked == [(state, "work")]


# Files


def test_each_file_wins_over_the_next(tmp_path: Path) -> None:
    """By argument, by variable, and in the usual places in their order; the official CLI's comes last."""
    folder = tmp_path / ".config" / "rsspot"
    folder.mkdir(parents=True)
    named = {name: tmp_path / f"{name}.yml" for name in ("config_path", *CONFIG_PATHS)}
    usual = [folder / name for name in ("config.yml", "config.yaml", "config.toml", "config.json")]
    for path in (*named.values(), *usual, tmp_path / ".spot_config"):
        texts = {".toml": 'org = "{}"', ".json": '{{"org": "{}"}}'}
        path.write_text(texts.get(path.suffix, "org: {}").format(path.name))
    environ = {"HOME": str(tmp_path)} | {name: str(named[name]) for name in CONFIG_PATHS}
    chosen: dict[str, Any] = {"config": {"org": "mapping"}, "config_path": named["config_path"]}
    assert resolve(environ=environ, **chosen).get("organization") == "mapping"
    del chosen["config"]
    assert resolve(environ=environ, **chosen).get("organization") == "config_path.yml"
    for name in CONFIG_PATHS:
        assert resolve(environ=environ).get("organization") == f"{name}.yml"
        # An empty variable names no file.
        environ[name] = ""
    for path in (*usual, tmp_path / ".spot_config"):
        found = resolve(environ=environ)
        assert (found.get("organization"), found.config_file) == (path.name, path)
        path.unlink()
    assert resolve(environ=environ).config_file is None


@pytest.mark.parametrize("variable", CONFIG_PATHS)
def test_a_file_that_is_named_and_not_there_is_fatal(tmp_path: Path, variable: str) -> None:
    """Even when there is another where files are looked for, or in a later variable."""
    (tmp_path / ".spot_config").write_text("org: other")
    environ = {"HOME": str(tmp_path), "SPOT_CONFIG_FILE": str(tmp_path / ".spot_config")}
    with pytest.raises(ConfigError, match=r"no config file at .*gone\.toml"):
        resolve(environ=environ | {variable: str(tmp_path / "gone.toml")})


@pytest.mark.parametrize("suffix", ["yml", "toml", "json"])
def test_the_state_is_where_it_is_said_to_be(tmp_path: Path, suffix: str) -> None:
    """Argument, variable, statePath of the file seen from the file, beside the file, the usual place: in this order."""
    folder = tmp_path / "project"
    folder.mkdir()
    file = folder / f"config.{suffix}"
    texts = {"yml": "statePath: {}", "toml": 'statePath = "{}"', "json": '{{"state_path": "{}"}}'}
    home = {"HOME": str(tmp_path)}
    environ = home | {"RSSPOT_STATE_PATH": "/variable.db"}

    file.write_text(texts[suffix].format("deep/state.db"))
    assert resolve(environ=environ, config_path=file, state_path="/argument.db").state_path == Path("/argument.db")
    assert resolve(environ=environ, config_path=file).state_path == Path("/variable.db")
    found = resolve(environ=home, config_path=file)
    assert (found.state_path, found.state_source) == (folder / "deep" / "state.db", f"{file} (statePath)")

    file.write_text(texts[suffix].format("/absolute.db"))
    assert resolve(environ=home, config_path=file).state_path == Path("/absolute.db")
    file.write_text("{}" if suffix != "toml" else "")
    assert resolve(environ=home, config_path=file).state_path == folder / "state.db"
    assert resolve(environ=home).state_path == tmp_path / ".config" / "rsspot" / "state.db"
    assert resolve(environ=home, config={}).state_path == tmp_path / ".config" / "rsspot" / "state.db"
    assert list(folder.iterdir()) == [file]


def test_the_official_clis_file_gets_no_state_beside_it(tmp_path: Path) -> None:
    """A state.db in the middle of somebody's home would be a surprise."""
    (tmp_path / ".spot_config").write_text("org: x")
    environ = {"HOME": str(tmp_path)}
    usual = tmp_path / ".config" / "rsspot" / "state.db"
    assert resolve(environ=environ).state_path == usual
    assert resolve(environ=environ, config_path=tmp_path / ".spot_config").state_path == usual


def test_an_argument_that_is_no_setting_is_refused_and_an_empty_one_says_nothing(tmp_path: Path) -> None:
    """A slip in a script must not fall back to another organization in silence."""
    environ = {"HOME": str(tmp_path), "RSSPOT_ORG": "acme"}
    with pytest.raises(TypeError, match="orgnization"):
        resolve(environ=environ, orgnization="other")
    assert resolve(environ=environ, organization="").get("organization") == "acme"


def test_a_given_credential_is_not_mixed_with_the_keyrings(tmp_path: Path) -> None:
    """An access token of the environment that has run out must not turn into somebody else's."""
    config = {"profiles": {"default": {"keyring": True}}}
    home = {"HOME": str(tmp_path)}
    assert resolve(config=config, environ=home).options.keyring
    assert not resolve(config=config, environ={**home, "RSSPOT_ACCESS_TOKEN": "t"}).options.keyring
    both = {**home, "RSSPOT_KEYRING": "true"}
    assert resolve(config={"profiles": {"default": {"refreshToken": "r"}}}, environ=both).options.keyring


def test_where_the_state_is_depends_on_no_profile(tmp_path: Path) -> None:
    """Whoever has to put a profile right needs it."""
    file = tmp_path / "config.yml"
    file.write_text("activeProfile: gone\nstatePath: here.db\nprofiles: {work: {}}\n")
    assert state_path_of(file, environ={"HOME": str(tmp_path)}) == tmp_path / "here.db"
