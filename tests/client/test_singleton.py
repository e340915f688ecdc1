"""Shared clients, and the settings that decide which one is returned."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import rsspot
from rsspot import (
    AsyncSpotClient,
    ConfigError,
    ConfigFile,
    SpotClient,
    aclose_all_clients,
    close_all_clients,
    configure,
    get_async_client,
    get_client,
    list_profiles,
    set_active_profile,
    set_default_org,
    set_default_profile,
    set_default_region,
    use_org,
    use_profile,
    use_region,
)
from rsspot.simulator.accounts.people import SANDBOX_ORGANIZATION, SANDBOX_TOKEN
from rsspot.simulator.front.server import Server
from rsspot.testing import SimulatedSpot
from support.open_files import connected, open_files, settled
from support.recording import Overheard, settings_of

PROFILES = """\
# Ours, do not touch.
activeProfile: prod  # for now
profiles:
  prod:
    organization: prod-org   # the one that pays
    region: us-east-iad-1
    refreshToken: prod-token
  staging:
    organizationId: org_Staging1
    refreshToken: staging-token
somebodyElses: [1, 2]
"""


@pytest.fixture
def config(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config file with two profiles, the active one set."""
    path = here / "rsspot" / "config.yml"
    path.parent.mkdir()
    path.write_text(PROFILES)
    monkeypatch.setenv("RSSPOT_CONFIG", str(path))
    return path


def organization(client: SpotClient | AsyncSpotClient | None = None) -> Any:
    """The organization of a client, by default the shared one."""
    return (client or get_client()).config.get("organization")


def region() -> Any:
    """The region of the shared client."""
    return get_client().config.get("region")


def profile() -> str:
    """The profile of the shared client."""
    return get_client().config.profile


# One client per set of settings


def test_equal_settings_return_the_same_client(config: Path) -> None:
    """In whatever form they are given; sync and async clients are separate."""
    assert get_client() is get_client()
    assert get_async_client() is get_async_client()
    assert isinstance(get_client(), SpotClient)
    assert isinstance(get_async_client(), AsyncSpotClient)
    assert get_client(profile="staging", region="x") is get_client(region="x", profile="staging")
    assert get_client(config_path=config) is get_client(config_path=Path(str(config)))


def test_concurrent_threads_get_one_client(config: Path) -> None:
    """Only one of them makes it."""
    together = threading.Barrier(8)

    def ask(_: int) -> SpotClient:
        together.wait()
        return get_client()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1


def test_different_settings_return_different_clients(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arguments, `configure`, overrides and environment."""
    met = [get_client(), get_client(profile="staging"), get_client(organization="other"), get_client(cache=False)]
    with use_org("other"):
        met.append(get_client())
    with use_profile("staging"):
        met.append(get_client())
    with use_region("uk-lon-1"):
        met.append(get_client())
    configure(organization="another")
    met.append(get_client())
    configure()
    assert get_client() is met[0]
    for name, value in {"RSSPOT_ORG": "x", "RXTSPOT_TOKEN": "y", "SPOT_REGION": "z", "HTTPS_PROXY": "http://p"}.items():
        monkeypatch.setenv(name, value)
        met.append(get_client())
    assert len(set(met)) == len(met)


def test_another_home_directory_is_another_set_of_settings(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files differ."""
    for name in ("one", "two"):
        folder = here / name / ".config" / "rsspot"
        folder.mkdir(parents=True)
        (folder / "config.yml").write_text(f"profiles: {{default: {{org: {name}, refreshToken: t}}}}\n")
        monkeypatch.setenv("HOME", str(here / name))
        assert organization() == name
    monkeypatch.delenv("HOME")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(here / "one" / ".config"))
    assert organization() == "one"


@pytest.mark.parametrize("kind", [str, Path])
def test_a_client_is_not_reused_for_another_config_file(here: Path, kind: Any) -> None:
    """Even if an object had the same memory address."""
    for number in range(20):
        (here / f"{number}.yml").write_text(f"profiles: {{default: {{org: org{number}, refreshToken: t}}}}\n")
    for _ in range(3):
        for number in range(20):
            assert organization(get_client(config_path=kind(here / f"{number}.yml"))) == f"org{number}"
            gc.collect(0)


def test_a_client_is_not_reused_for_another_config_object(here: Path) -> None:
    """Nor for other hooks, or any option compared by identity."""
    for number in range(40):
        profiles = {"default": {"org": f"org{number}", "refreshToken": "t"}}
        assert organization(get_client(config=ConfigFile.model_validate({"profiles": profiles}))) == f"org{number}"
        assert organization(get_client(config={"profiles": profiles})) == f"org{number}"
    hooks = [rsspot.Hooks() for _ in range(2)]
    first, second = (get_client(config={"profiles": profiles}, hooks=each) for each in hooks)
    assert first is not second
    assert get_client(config={"profiles": profiles}, hooks=hooks[0]) is first


# configure


def test_configure_replaces_earlier_options(config: Path) -> None:
    """All of them; existing clients keep theirs."""
    configure(organization="one", region="a")
    first = get_client()
    configure(organization="two")
    assert (organization(), region()) == ("two", "us-east-iad-1")
    assert (organization(first), first.config.get("region")) == ("one", "a")
    configure(organization="one", region="a")
    assert get_client() is first
    configure()
    assert organization() == "prod-org"


def test_arguments_override_configure(config: Path) -> None:
    """One by one."""
    configure(organization="one", region="a")
    client = get_client(organization="two")
    assert (client.config.get("organization"), client.config.get("region")) == ("two", "a")


def test_an_invalid_setting_raises_when_a_client_is_requested(config: Path) -> None:
    """The next valid request works."""
    configure(profile="nobody")
    with pytest.raises(ConfigError, match="no profile 'nobody'"):
        get_client()
    configure()
    assert profile() == "prod"


# Overrides for a block


def test_overrides_nest_and_end(config: Path) -> None:
    """Also if the block raises."""
    with use_org("outer"), use_region("r1"):
        with use_org("inner"):
            assert (organization(), region()) == ("inner", "r1")
        assert organization() == "outer"
        with pytest.raises(ZeroDivisionError), use_org("failing"), use_region("r2"):
            raise ZeroDivisionError
        assert (organization(), region()) == ("outer", "r1")
    assert (organization(), region()) == ("prod-org", "us-east-iad-1")


def test_an_override_wins_over_configure_and_loses_to_arguments(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It also wins over the environment."""
    monkeypatch.setenv("RSSPOT_ORG", "of-the-environment")
    assert organization() == "of-the-environment"
    configure(organization="configured", profile="prod", region="configured")
    assert organization() == "configured"
    with use_org("chosen"), use_profile("staging"), use_region("chosen"):
        assert (organization(), profile(), region()) == ("chosen", "staging", "chosen")
        assert organization(get_client(organization="argument")) == "argument"
        assert get_client(profile="prod").config.profile == "prod"
        assert get_client(region="argument").config.get("region") == "argument"
        assert organization(SpotClient()) == "chosen"
        assert organization(AsyncSpotClient(organization="argument")) == "argument"


def test_an_overridden_profile_brings_its_own_settings(config: Path) -> None:
    """Including its organization, given by id."""
    with use_profile("staging"):
        assert (profile(), organization()) == ("staging", "org_Staging1")
    with use_profile("nobody"), pytest.raises(ConfigError):
        get_client()


async def test_an_override_applies_to_its_task_only(config: Path) -> None:
    """Concurrent tasks do not see it; a new task inherits it."""
    chosen = asyncio.Event()

    async def choose(name: str) -> list[str]:
        with use_org(name):
            before = [organization()]
            chosen.set()
            await asyncio.sleep(0)
            return [*before, organization()]

    async def look() -> str:
        await chosen.wait()
        return str(organization())

    assert await asyncio.gather(choose("a"), choose("b"), look()) == [["a", "a"], ["b", "b"], "prod-org"]
    with use_org("outer"):
        assert await asyncio.create_task(look()) == "outer"
        assert await asyncio.to_thread(organization) == "outer"


def test_an_override_applies_to_its_thread_only(config: Path) -> None:
    """A new thread starts without it."""
    with use_org("here"), ThreadPoolExecutor(1) as pool:
        assert pool.submit(organization).result() == "prod-org"
        assert pool.submit(contextvars.copy_context().run, organization).result() == "here"


# Closing


def test_closed_clients_are_replaced_by_new_ones(config: Path) -> None:
    """Closing twice is allowed."""
    first = get_client()
    close_all_clients()
    close_all_clients()
    assert get_client() is not first


async def test_closing_in_a_running_loop_names_the_async_function(config: Path) -> None:
    """As every blocking call does."""
    with pytest.raises(RuntimeError, match=r"await aclose_all_clients\(\) instead"):
        close_all_clients()
    first = get_async_client()
    await aclose_all_clients()
    await aclose_all_clients()
    assert get_async_client() is not first


def test_closing_releases_everything(here: Path, server: Server) -> None:
    """Connections of this loop and of threads without a loop, and the ledger."""
    options: Any = {
        "base_url": server.url,
        "oauth_url": server.url,
        "refresh_token": SANDBOX_TOKEN,
        "organization": SANDBOX_ORGANIZATION,
    }
    with connected(server, here) as first:
        first.regions.list()
    files = len(open_files())

    async def use_and_close() -> None:
        await get_async_client(**options).cloudspaces.list()
        await get_client(**options).acloudspaces.list()
        await aclose_all_clients()

    kept = [get_client(**options)]
    kept[0].cloudspaces.list()
    kept[0].ledger.registrations()
    assert len(open_files()) > files
    asyncio.run(use_and_close())
    assert settled(files) <= 0
    kept.append(get_client(**options))
    kept[1].cloudspaces.list()
    close_all_clients()
    assert settled(files) <= 0


def test_a_shared_client_works_in_loops_and_threads(config: Path, spot_api: SimulatedSpot) -> None:
    """With one token."""
    wire = Overheard(spot_api.transport)
    configure(resolved=settings_of(spot_api), transport=wire, clock=spot_api.clock)

    async def work() -> int:
        return len(await get_async_client().regions.list())

    assert asyncio.run(work()) == asyncio.run(work()) == 8
    assert len(wire.of("POST", path="/oauth/token")) == 1
    assert len(get_client().regions.list()) == 8


# Profiles


def test_profiles_are_listed_by_name(config: Path, here: Path) -> None:
    """From the file in use, another file, or a config object."""
    assert list_profiles() == ["prod", "staging"]
    other = here / "other.toml"
    other.write_text("[profiles.only]\norganization = 'x'\n")
    assert list_profiles(config_path=other) == list_profiles(config_path=str(other)) == ["only"]
    assert list_profiles(config={"profiles": {"b": {}, "a": None}}) == ["a", "b"]
    assert list_profiles(config=ConfigFile.model_validate({"profiles": {"c": {}}})) == ["c"]
    with pytest.raises(ConfigError):
        list_profiles(config_path=here / "nowhere.yml")


def test_without_a_config_file_there_are_no_profiles(here: Path) -> None:
    """This is not an error."""
    assert list_profiles() == []


def test_the_active_profile_is_written_to_the_config_file(config: Path) -> None:
    """The rest of the file stays; the next client uses the profile."""
    assert profile() == "prod"
    set_active_profile("staging")
    assert config.read_text().split() == PROFILES.replace("activeProfile: prod ", "activeProfile: staging ").split()
    assert profile() == "staging"
    set_active_profile("prod")
    assert config.read_text().split() == PROFILES.split()
    assert profile() == "prod"


def test_an_unknown_profile_cannot_become_active(config: Path) -> None:
    """The hint names the existing ones."""
    with pytest.raises(ConfigError, match="no profile 'stagin'") as caught:
        set_active_profile("stagin")
    assert caught.value.hint == "did you mean 'staging'? profiles: prod, staging"
    with pytest.raises(ConfigError) as caught:
        set_active_profile("zzz")
    assert caught.value.hint == "profiles: prod, staging"
    assert config.read_text() == PROFILES


def test_the_active_profile_of_another_file_is_set(config: Path, here: Path) -> None:
    """That file is validated and changed."""
    other = here / "other.yml"
    other.write_text("profiles: {only: {}}\n")
    set_active_profile("only", config_path=other)
    assert "activeProfile: only" in other.read_text()
    assert config.read_text() == PROFILES
    with pytest.raises(ConfigError):
        set_active_profile("staging", config_path=other)


def test_the_official_clis_file_stays_in_use(here: Path) -> None:
    """It has one profile; activating it must not create a file that hides it."""
    (here / ".spot_config").write_text("org: legacy\nrefreshToken: t\n")
    assert (list_profiles(), organization()) == (["default"], "legacy")
    set_active_profile("default")
    assert (list_profiles(), organization()) == (["default"], "legacy")
    assert (here / ".spot_config").read_text() == "org: legacy\nrefreshToken: t\n"


# Remembered defaults


def test_a_default_organization_is_remembered_per_profile(config: Path) -> None:
    """Other profiles are not affected; None forgets it."""
    before = get_client()
    set_default_org("remembered")
    set_default_region("uk-lon-1")
    assert (organization(), region()) == ("remembered", "uk-lon-1")
    assert organization(before) == "prod-org"
    staging = get_client(profile="staging")
    assert (organization(staging), staging.config.get("region")) == ("org_Staging1", None)
    with use_profile("staging"):
        assert organization() == "org_Staging1"
        set_default_org("of-staging")
        assert organization() == "of-staging"
    assert organization() == "remembered"
    set_default_org(None)
    set_default_region(None)
    assert (organization(), region()) == ("prod-org", "us-east-iad-1")
    assert organization(get_client(profile="staging")) == "of-staging"


def test_a_remembered_organization_overrides_an_id(config: Path) -> None:
    """Although the file has one."""
    with use_profile("staging"):
        set_default_org("by-name")
        assert organization() == "by-name"


def test_a_default_profile_is_remembered(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It overrides the file, but not the environment, overrides or arguments."""
    set_default_profile("staging")
    assert profile() == "staging"
    assert get_client(profile="prod").config.profile == "prod"
    monkeypatch.setenv("RSSPOT_PROFILE", "prod")
    assert profile() == "prod"
    monkeypatch.delenv("RSSPOT_PROFILE")
    assert config.read_text() == PROFILES
    set_default_profile(None)
    assert profile() == "prod"
    with pytest.raises(ConfigError):
        set_default_profile("nobody")
    assert profile() == "prod"


@pytest.mark.parametrize("own", [True, False])
def test_the_latest_choice_of_profile_counts(config: Path, here: Path, own: bool) -> None:
    """A remembered default does not outlast a newly set active profile, wherever it is remembered."""
    configure(**({"state_path": here / "own.db"} if own else {}))
    set_default_profile("staging")
    set_active_profile("prod")
    assert profile() == "prod"


def test_a_default_belongs_to_the_current_profile(config: Path) -> None:
    """However that profile was chosen."""
    set_default_profile("staging")
    set_default_org("of-staging")
    assert organization() == "of-staging"
    assert organization(get_client(profile="prod")) == "prod-org"


@pytest.mark.parametrize("made", [dict, ConfigFile.model_validate])
def test_defaults_work_without_a_config_file(here: Path, made: Any) -> None:
    """With settings that the program passes, in either form."""
    profiles = {name: {"org": f"{name}-org", "refreshToken": "t"} for name in ("prod", "staging")}
    configure(config=made({"profiles": profiles, "activeProfile": "prod"}), state_path=here / "own.db")
    assert organization() == "prod-org"
    set_default_profile("staging")
    assert organization() == "staging-org"
    set_default_org("other")
    assert organization() == "other"
    assert organization(get_client(profile="prod")) == "prod-org"
    with pytest.raises(ConfigError, match="no profile 'nobody'"):
        set_default_profile("nobody")


def test_overrides_and_arguments_win_over_remembered_defaults(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order is: arguments, overrides, environment, remembered, profile."""
    set_default_org("memory")
    assert organization() == "memory"
    monkeypatch.setenv("RSSPOT_ORG", "environment")
    assert organization() == "environment"
    with use_org("block"):
        assert organization() == "block"
        assert organization(get_client(organization="argument")) == "argument"


async def test_the_package_exports_these_names(config: Path) -> None:
    """As documented."""
    for name in ("use_org", "configure", "get_client", "set_default_region", "list_profiles", "Hooks", "Exchange"):
        assert name in dir(rsspot)
        assert getattr(rsspot, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'get_clint'"):
        _ = rsspot.get_clint  # type: ignore[attr-defined]


def test_a_default_set_in_a_block_is_for_the_blocks_profile(config: Path) -> None:
    """Not for the one set by `configure`."""
    configure(profile="prod")
    with use_profile("staging"):
        set_default_region("uk-lon-1")
        assert region() == "uk-lon-1"
    assert region() != "uk-lon-1"


def test_a_config_path_may_be_a_string(config: Path) -> None:
    """As every path argument."""
    configure(config_path=str(config))
    set_default_region("uk-lon-1")
    assert region() == "uk-lon-1"
