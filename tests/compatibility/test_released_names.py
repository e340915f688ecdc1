"""Programs written for rsspot 0.3: every name they import is there, and every call they make works on the simulator."""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rsspot import AsyncSpotClient, SpotClient
from rsspot.models.cloudspaces import CloudspaceCreateSpec
from rsspot.models.nodepools import Autoscaling, OnDemandNodePoolUpsert, SpotNodePoolUpsert
from rsspot.simulator.accounts.people import SANDBOX_ORGANIZATION, SANDBOX_TOKEN
from rsspot.testing import SimulatedSpot
from rsspot.wire import httpx

NAMES = {
    "rsspot": """AsyncSpotClient CacheConfig Preferences ProfileConfig RetryConfig SDKConfig StateStore SpotClient
        RegistrationCandidate RegistrationLedgerRecord RegistrationStatus RegistrationWorkflow aclose_all_clients
        clear_client_cache configure get_async_client get_client get_sync_client list_profiles set_active_profile
        set_default_org set_default_profile set_default_region use_org use_profile use_region""",
    "rsspot.client": """AsyncSpotClient SpotClient aclose_all_clients clear_client_cache configure get_async_client
        get_client get_sync_client list_profiles set_active_profile set_default_org set_default_profile
        set_default_region use_org use_profile use_region""",
    "rsspot.config": """CONFIG_PATH_ENVS CacheConfig ConfigInput ConfigPaths Preferences ProfileConfig ProfileManager
        ResolvedConfig RetryConfig SDKConfig default_config_candidates dump_config ensure_default_config_exists
        legacy_config_path load_config save_config""",
    "rsspot.config.models": """CacheConfig ConfigInput ConfigPaths Preferences ProfileConfig ResolvedConfig RetryConfig
        SDKConfig""",
    "rsspot.errors": "APIError AuthError ConfigError RSSpotError RequestError",
    "rsspot.http": "SpotTransport",
    "rsspot.models": """CloudspaceCreateSpec CloudspaceItem CloudspaceListResponse KubeconfigResponse
        OnDemandNodePoolItem OnDemandNodePoolListResponse OnDemandNodePoolUpsert Organization
        OrganizationEventsResponse OrganizationsResponse PriceDetails PriceDetailsList RegionSummary
        RegionsListResponse ServerClassItem ServerClassListResponse ServerClassSummary SpotNodePoolItem
        SpotNodePoolListResponse SpotNodePoolUpsert VMCloudSpaceListResponse""",
    "rsspot.models.cloudspaces": """AssignedServer CloudspaceCreateSpec CloudspaceItem CloudspaceListResponse
        CloudspaceSpec CloudspaceStatus KubeconfigData KubeconfigResponse VMCloudSpaceItem VMCloudSpaceListResponse
        VMCloudSpaceSpec VMCloudSpaceStatus""",
    "rsspot.models.common": "Condition Metadata SpotModel",
    "rsspot.models.events": "OrganizationEventsResponse",
    "rsspot.models.nodepools": """Autoscaling NodePoolSummary OnDemandNodePoolItem OnDemandNodePoolListResponse
        OnDemandNodePoolSpec OnDemandNodePoolStatus OnDemandNodePoolUpsert SpotNodePoolItem SpotNodePoolListResponse
        SpotNodePoolSpec SpotNodePoolStatus SpotNodePoolUpsert""",
    "rsspot.models.organizations": "Organization OrganizationsResponse",
    "rsspot.models.pricing": "PriceDetails PriceDetailsList",
    "rsspot.models.regions": "RegionItem RegionSpec RegionSummary RegionsListResponse",
    "rsspot.models.server_classes": """ServerClassItem ServerClassListResponse ServerClassOnDemandPricing
        ServerClassResources ServerClassSpec ServerClassSpotPricing ServerClassStatus ServerClassSummary""",
    "rsspot.services": """CloudspacesService InventoryService OnDemandNodePoolsService OrganizationsService
        PricingService RegionsService ServerClassesService SpotNodePoolsService""",
    "rsspot.settings": "RuntimeSettings",
    "rsspot.state": "StateStore default_state_path",
    "rsspot.workflows": "RegistrationCandidate RegistrationLedgerRecord RegistrationStatus RegistrationWorkflow",
}
"""Module -> the names that it exports in rsspot 0.3."""
CLASS, REGION = "gp.vs1.large-dfw", "us-central-dfw-1"
EDGE = CloudspaceCreateSpec(name="edge", region=REGION, kubernetes_version="1.31.1")
WORKERS = SpotNodePoolUpsert(name="workers", cloudspace="edge", server_class=CLASS, desired=2, bid_price="$0.06")
BASE = OnDemandNodePoolUpsert(name="base", cloudspace="edge", server_class=CLASS)
REGIONS_PATH = "/apis/ngpc.rxt.io/v1/regions"


@pytest.mark.parametrize("module", NAMES)
def test_every_name_can_be_imported(module: str) -> None:
    """From the module in which rsspot 0.3 has it."""
    imported = importlib.import_module(module)
    assert [name for name in NAMES[module].split() if not hasattr(imported, name)] == []
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = imported.nonsense


def test_the_names_cost_nothing_before_they_are_used() -> None:
    """No module of ours imports the models of rsspot 0.3."""
    import subprocess

    code = "import sys, rsspot.client.sync_client; print([name for name in sys.modules if 'compatibility' in name])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    for module in ("config", "config_files", "models", "specs", "settings", "registration"):
        assert f"'rsspot.compatibility.{module}'" not in done.stdout


@pytest.fixture
def client(spot_api: SimulatedSpot) -> Iterator[SpotClient]:
    """A client in a world with a cloudspace, two pools, and a VM cloudspace with a pool."""
    with spot_api.sync_client() as made:
        made.cloudspaces.create(EDGE)
        made.spot_nodepools.create(WORKERS)
        made.ondemand_nodepools.create(BASE)
        made.vm_ssh_keys.create("key", {"publicKey": KEY})
        made.vm_cloudspaces.create("vms", {"region": REGION, "vmSshKeyRef": {"name": "key"}})
        spot_api.advance(3600)
        yield made


KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f test"
Check = Callable[[Any], bool]
CALLS: dict[str, tuple[Callable[[Any], Any], Check]] = {
    "organizations.list": (lambda c: c.organizations.list(), lambda r: SANDBOX_ORGANIZATION in names(r.organizations)),
    "organizations.get": (
        lambda c: c.organizations.get(SANDBOX_ORGANIZATION),
        lambda r: (r.name == SANDBOX_ORGANIZATION) and bool(r.id),
    ),
    "regions.list": (lambda c: c.regions.list(), lambda r: REGION in [each.name for each in r]),
    "regions.get": (lambda c: c.regions.get(REGION), lambda r: (r.name, r.description) == (REGION, r.spec.description)),
    "server_classes.list": (
        lambda c: c.server_classes.list(region=REGION, only_available=True),
        lambda r: {(each.region, each.availability) for each in r} == {(REGION, "available")},
    ),
    "server_classes.get": (
        lambda c: c.server_classes.get(CLASS),
        lambda r: (
            all(
                str(price).startswith("$")
                for price in (r.market_price_per_hour, r.min_bid_price_per_hour, r.on_demand_price_per_hour)
            )
            and all((r.display_name, r.category, r.cpu, r.memory))
        ),
    ),
    "pricing.list": (
        lambda c: c.pricing.list(region=REGION),
        lambda r: {each.region for each in r.items} == {REGION} and all(each.server_class_name for each in r.items),
    ),
    "pricing.for_server_class": (
        lambda c: c.pricing.for_server_class(CLASS),
        lambda r: (r.server_class_name, r.market_price[0]) == (CLASS, "$") and all((r.display_name, r.cpu, r.memory)),
    ),
    "pricing.for_region": (
        lambda c: c.pricing.for_region(REGION),
        lambda r: {each.region for each in r.items} == {REGION},
    ),
    "cloudspaces.list": (
        lambda c: c.cloudspaces.list(org=SANDBOX_ORGANIZATION),
        lambda r: [each.metadata.name for each in r.items] == ["edge"],
    ),
    "cloudspaces.list by position": (
        lambda c: c.cloudspaces.list(SANDBOX_ORGANIZATION),
        lambda r: [each.spec.kubernetesVersion for each in r.cloudspaces] == ["1.31.1"],
    ),
    "cloudspaces.get": (
        lambda c: c.cloudspaces.get("edge", org=SANDBOX_ORGANIZATION),
        lambda r: (
            (r.apiVersion, r.kind, r.spec.region) == ("ngpc.rxt.io/v1", "CloudSpace", REGION)
            and bool(
                r.status.apiServerEndpoint if hasattr(r.status, "apiServerEndpoint") else r.status.APIServerEndpoint
            )
        ),
    ),
    "cloudspaces.create": (
        lambda c: c.cloudspaces.create(EDGE.model_copy(update={"name": "second"}), org=SANDBOX_ORGANIZATION),
        lambda r: r["metadata"]["name"] == "second" and r["spec"]["cni"] == "calico",
    ),
    "cloudspaces.delete": (lambda c: c.cloudspaces.delete("edge", org=SANDBOX_ORGANIZATION), lambda r: r is None),
    "cloudspaces.generate_kubeconfig": (
        lambda c: c.cloudspaces.generate_kubeconfig("edge", org=SANDBOX_ORGANIZATION),
        lambda r: "kind: Config" in r,
    ),
    "spot_nodepools.list": (
        lambda c: c.spot_nodepools.list(org=SANDBOX_ORGANIZATION, cloudspace="edge"),
        lambda r: (
            [(str(each.spec.bidPrice), each.spec.cloudSpace, each.status.wonCount) for each in r.items]
            == [("0.06", "edge", 2)]
        ),
    ),
    "spot_nodepools.list of none": (lambda c: c.spot_nodepools.list(cloudspace="other"), lambda r: r.items == []),
    "spot_nodepools.get": (lambda c: c.spot_nodepools.get("workers"), lambda r: r.spec.serverClass == CLASS),
    "spot_nodepools.create": (
        lambda c: c.spot_nodepools.create(WORKERS.model_copy(update={"name": "more"})),
        lambda r: r["metadata"]["labels"]["ngpc.rxt.io/cloudspace"] == "edge",
    ),
    "spot_nodepools.update": (
        lambda c: c.spot_nodepools.update(WORKERS.model_copy(update={"desired": 3, "bid_price": "0.10"})),
        lambda r: (r["spec"]["desired"], r["spec"]["bidPrice"]) == (3, "0.1"),
    ),
    "spot_nodepools.update to autoscaling": (
        lambda c: c.spot_nodepools.update(
            WORKERS.model_copy(update={"autoscaling": Autoscaling(enabled=True, minNodes=1, maxNodes=4)})
        ),
        lambda r: r["spec"]["autoscaling"] == {"enabled": True, "minNodes": 1, "maxNodes": 4},
    ),
    "spot_nodepools.delete": (
        lambda c: c.spot_nodepools.delete("workers", org=SANDBOX_ORGANIZATION),
        lambda r: r is None,
    ),
    "ondemand_nodepools.list": (
        lambda c: c.ondemand_nodepools.list(cloudspace="edge"),
        lambda r: [each.spec.desired for each in r.items] == [1],
    ),
    "ondemand_nodepools.get": (lambda c: c.ondemand_nodepools.get("base"), lambda r: r.status.reservedCount == 1),
    "ondemand_nodepools.create": (
        lambda c: c.ondemand_nodepools.create(spec=BASE.model_copy(update={"name": "more"})),
        lambda r: r.spec.cloudSpace == "edge",
    ),
    "ondemand_nodepools.update": (
        lambda c: c.ondemand_nodepools.update(BASE.model_copy(update={"desired": 2, "custom_labels": {"a": "b"}})),
        lambda r: (r.spec.desired, r.spec.customLabels) == (2, {"a": "b"}),
    ),
    "ondemand_nodepools.delete": (lambda c: c.ondemand_nodepools.delete("base"), lambda r: r is None),
    "inventory.list_vmcloudspaces": (
        lambda c: c.inventory.list_vmcloudspaces(org=SANDBOX_ORGANIZATION),
        lambda r: [each.metadata.name for each in r.items] == ["vms"],
    ),
    "inventory.list_vmpools": (lambda c: c.inventory.list_vmpools(vmcloudspace="vms"), lambda r: r.items == []),
    "inventory.list_organization_events": (
        lambda c: c.inventory.list_organization_events(limit=5),
        lambda r: bool(r.org_id) and all(len(pair) == 2 for pair in r.events),
    ),
}
"""A call as rsspot 0.3 has it, and whether its result can be read as there."""


def names(items: Any) -> list[str]:
    """The names of objects."""
    return [each.name for each in items]


@pytest.mark.parametrize("call", CALLS)
def test_every_call_works(client: SpotClient, call: str) -> None:
    """And its result has the fields of rsspot 0.3, by their names there."""
    make, check = CALLS[call]
    result = make(client)
    assert check(result), result


@pytest.mark.parametrize("call", CALLS)
def test_every_call_works_with_asyncio(client: SpotClient, spot_api: SimulatedSpot, call: str) -> None:
    """On both clients."""
    make, check = CALLS[call]

    class Prefixed:
        def __getattr__(self, name: str) -> Any:
            return getattr(client, f"a{name}")

    async def both() -> None:
        result = await make(Prefixed())
        assert check(result), result
        if not call.endswith(("create", "delete")):
            async with spot_api.client() as other:
                assert check(await make(other))

    asyncio.run(both())


METHODS: dict[str, tuple[Callable[[Any], Any], Check]] = {
    "authenticate": (lambda c: c.authenticate(), lambda r: r.count(".") == 2),
    "authenticate again": (lambda c: c.authenticate(force_refresh=True), lambda r: r.count(".") == 2),
    "resolve_org_id": (lambda c: c.resolve_org_id(), lambda r: r.startswith("org-")),
    "resolve_org_id of a name": (lambda c: c.resolve_org_id(SANDBOX_ORGANIZATION), lambda r: r.startswith("org-")),
    "resolve_org_name": (lambda c: c.resolve_org_name(), lambda r: r == SANDBOX_ORGANIZATION),
    "request_json": (
        lambda c: c.request_json("get", REGIONS_PATH, params={"limit": 1}),
        lambda r: len(r["items"]) == 1,
    ),
}


@pytest.mark.parametrize("call", METHODS)
def test_every_method_of_the_clients_works(spot_api: SimulatedSpot, call: str) -> None:
    """Blocking, with an `a`, and on the async client."""
    make, check = METHODS[call]
    with spot_api.sync_client() as client:
        assert check(make(client))

        class Prefixed:
            def __getattr__(self, name: str) -> Any:
                return getattr(client, f"a{name}")

        assert check(asyncio.run(make(Prefixed())))

    async def alone() -> None:
        async with spot_api.client() as other:
            assert check(await make(other))

    asyncio.run(alone())


def test_attributes_of_the_clients(spot_api: SimulatedSpot) -> None:
    """The settings, the tokens and the state."""
    with spot_api.sync_client() as client:
        assert client.raw is client
        assert (client.profile_name, client.org, client.region) == ("simulated", SANDBOX_ORGANIZATION, None)
        assert (client.base_url, client.oauth_url, client.client_id) == (
            "http://127.0.0.1",
            "http://127.0.0.1",
            "tests",
        )
        assert (client.request_timeout_seconds, client.verify_ssl) == (30.0, True)
        assert (client.refresh_token, client.access_token) == (SANDBOX_TOKEN, None)
        assert client.access_token != client.authenticate() == client.access_token
        assert client.state.get_preference("default_region") is None

    async def events() -> Any:
        yield {"number": 1}
        yield {"number": 2}

    with spot_api.sync_client() as client:
        assert client.stream(events()) == [{"number": 1}, {"number": 2}]


async def test_a_forced_authentication_gets_another_token(spot_api: SimulatedSpot) -> None:
    """And requests are signed with it; one that is not authenticated carries none."""
    from rsspot.errors import APIError, AuthError, RequestError, RSSpotError

    async with spot_api.client() as client:
        first = await client.authenticate()
        assert await client.authenticate() == first
        spot_api.advance(1)
        assert await client.authenticate(force_refresh=True) != first
        with pytest.raises(AuthError):
            await client.request_json("GET", REGIONS_PATH, authenticated=False)
        with pytest.raises(APIError) as refused:
            await client.request_json("GET", f"{REGIONS_PATH}/nowhere")
        assert (refused.value.status_code, refused.value.body) == (404, str(refused.value))
        assert isinstance(refused.value, RequestError)
        assert isinstance(refused.value, RSSpotError)


def test_the_arguments_of_a_client(spot_api: SimulatedSpot, tmp_path: Path) -> None:
    """They become settings, whether a config is given or not."""
    from rsspot import CacheConfig, RetryConfig, SDKConfig

    config = SDKConfig.model_validate({"profiles": {"work": {"org": "from-the-file", "refresh_token": "t"}}})
    client = SpotClient(
        config,
        profile="work",
        org_id="org-a",
        request_timeout_seconds=7,
        verify_ssl=False,
        retries=RetryConfig(max_attempts=2, base_delay=0.5),
        cache=CacheConfig(backend="memory", ttl_defaults={"GET:/apis/*": 3}),
        state_path=tmp_path / "state.db",
    )
    options = client.config.options
    assert (client.org, options.timeout, options.verify_ssl) == ("org-a", 7, False)
    assert (options.retry.max_retries, options.retry.base_delay) == (1, 0.5)
    assert (options.cache.persistent, options.cache.ttls) == (False, {"/apis/*": 3})
    other = SpotClient(config, profile="work", org="by-name", max_retries=1, retry_backoff_factor=0.1)
    assert (other.org, other.config.options.retry.max_retries, other.config.options.retry.base_delay) == (
        "by-name",
        1,
        0.1,
    )
    with pytest.raises(TypeError, match="a client has no argument 'organisation'"):
        SpotClient(organisation="x")  # type: ignore[call-arg]


async def test_an_http_client_of_the_caller_sends_the_requests(spot_api: SimulatedSpot) -> None:
    """It is still open afterwards."""
    async with httpx.AsyncClient(transport=spot_api.transport) as theirs:
        resolved = spot_api.client().config
        async with AsyncSpotClient(resolved=resolved, http_client=theirs, clock=spot_api.clock) as client:
            assert (await client.regions.list()).regions
        assert not theirs.is_closed
    assert ("GET", REGIONS_PATH) in [(method, path.partition("?")[0]) for method, path in spot_api.transport.carried]


def test_services_are_the_groups(client: SpotClient) -> None:
    """So that annotations and isinstance work."""
    from rsspot import services

    groups = {
        "CloudspacesService": client.acloudspaces,
        "InventoryService": client.ainventory,
        "OnDemandNodePoolsService": client.aondemand_nodepools,
        "OrganizationsService": client.aorganizations,
        "PricingService": client.apricing,
        "RegionsService": client.aregions,
        "ServerClassesService": client.aserver_classes,
        "SpotNodePoolsService": client.aspot_nodepools,
    }
    for name, group in groups.items():
        assert isinstance(group, getattr(services, name))
