"""Never run: what mypy and pyright must see of the public API from outside."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, assert_type

import rsspot
from rsspot import (
    AsyncSpotClient,
    ConfigFile,
    Exchange,
    Hooks,
    Persona,
    Profile,
    ProfileConfig,
    RegistrationCandidate,
    RegistrationLedgerRecord,
    RegistrationRecord,
    RegistrationStatus,
    RegistrationWorkflow,
    RetryConfig,
    RsspotError,
    SDKConfig,
    SpotClient,
    UnexpectedShape,
)
from rsspot.config.loader import Resolved
from rsspot.models import CloudspaceCreateSpec, SpotNodePoolUpsert
from rsspot.resources.collection import Collection
from rsspot.resources.listing import Listing
from rsspot.resources.watch import WatchEvent
from rsspot.services.cloudspaces.schemas import CloudSpace, CloudSpaceStatus
from rsspot.services.events.api import OrganizationEvent
from rsspot.services.inventory.api import Machine
from rsspot.services.nodepools.autopilot import AutopilotNodePool
from rsspot.services.nodepools.schemas import SPOT_NODE_POOL, Autoscaling, OnDemandNodePool, SpotNodePool
from rsspot.services.organizations.schemas import Organization
from rsspot.services.pricing.schemas import Comparison, Percentiles, PricePoint, Quote
from rsspot.services.regions.schemas import REGION, Region
from rsspot.services.server_classes.schemas import ServerClass
from rsspot.services.vms.schemas import VMCloudSpace, VMPool, VMSSHKey
from rsspot.state.ledger.protocol import Ledger


def synchronous(client: SpotClient) -> None:
    assert_type(client.organizations.list(), Listing[Organization])
    assert_type(client.organizations.get("my-org"), Organization)
    assert_type(client.regions.get("us-east-iad-1"), Region)
    assert_type(client.server_classes.list(), Listing[ServerClass])
    assert_type(client.cloudspaces.get("edge"), CloudSpace)
    assert_type(client.cloudspaces.list(labels="a=b"), Listing[CloudSpace])
    assert_type(client.spot_nodepools.create("name", {"desired": 1}), SpotNodePool)
    assert_type(client.ondemand_nodepools.patch("name", {"desired": 1}), OnDemandNodePool)
    assert_type(client.vm_cloudspaces.delete("edge-vms"), None)
    assert_type(client.vm_pools.list(), Listing[VMPool])
    assert_type(client.inventory.list(), Listing[Machine])
    client.cloudspaces.get()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.cloudspaces.list(label="a=b")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def verbs(client: SpotClient) -> None:
    """Every verb, each on another kind."""
    assert_type(client.spot_nodepools.list(labels="a=b", within="edge"), Listing[SpotNodePool])
    assert_type(client.autopilot_nodepools.get("pilot"), AutopilotNodePool)
    assert_type(client.vm_ssh_keys.create("key", {}, labels={"a": "b"}, annotations={"c": "d"}), VMSSHKey)
    assert_type(client.spot_nodepools.patch("name", {"desired": None}, resource_version="1"), SpotNodePool)
    assert_type(client.vm_pools.delete("name", missing_ok=True), None)
    assert_type(client.vm_cloudspaces.wait("vms", timeout=60), VMCloudSpace)
    assert_type(client.ondemand_nodepools.wait_gone("name", timeout=60.0), None)
    assert_type(client.regions.watch(labels="a=b"), Iterator[WatchEvent[Region]])
    for change in client.cloudspaces.watch():
        assert_type(change, WatchEvent[CloudSpace])
        assert_type(change.object.status, CloudSpaceStatus | None)
    client.spot_nodepools.create("name")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    client.spot_nodepools.patch("name", {}, version="1")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.vm_pools.wait("name", timeout="60")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def groups_with_more(client: SpotClient) -> None:
    assert_type(client.cloudspaces.upgrade("edge", "1.33.0"), CloudSpace)
    assert_type(client.cloudspaces.kubeconfig("edge"), str)
    assert_type(client.cloudspaces.kubeconfig("edge", merge_into=Path("config")), str)
    assert_type(client.pricing.list(region="us-east-iad-1"), Listing[Quote])
    assert_type(client.pricing.get("gp.vs1.medium-dfw").market, Decimal | None)
    assert_type(client.pricing.percentiles(), list[Percentiles])
    assert_type(client.pricing.history("gp.vs1.medium-dfw"), list[PricePoint])
    assert_type(client.pricing.comparable(region="us-east-iad-1"), list[Comparison])
    assert_type(client.events.list(limit=10, cloudspace="edge"), Listing[OrganizationEvent])
    assert_type(client.events.list()[0].at, datetime | None)
    assert_type(client.whoami(), Persona)
    assert_type(client.whoami().until, datetime | None)
    assert_type(client.ledger, Ledger)
    assert_type(client.config, Resolved)
    assert_type(client.close(), None)
    with client as same:
        assert_type(same, SpotClient)
    client.events.list(10)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.regions.upgrade("edge", "1.33.0")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


async def asynchronous(client: AsyncSpotClient, both: SpotClient) -> None:
    assert_type(await client.cloudspaces.get("edge"), CloudSpace)
    assert_type(await client.spot_nodepools.list(), Listing[SpotNodePool])
    assert_type(await client.vm_cloudspaces.list(), Listing[VMCloudSpace])
    assert_type(await both.acloudspaces.get("edge"), CloudSpace)
    assert_type(await both.aspot_nodepools.list(), Listing[SpotNodePool])
    assert_type(await both.ainventory.list(), Listing[Machine])


def listings(client: SpotClient) -> None:
    """A list, also under the name of what it holds."""
    as_list: list[Region] = client.regions.list()
    assert_type(as_list[0], Region)
    assert_type(client.organizations.list().organizations, list[Organization])
    assert_type(client.server_classes.list(region="x", only_available=True).server_classes, list[ServerClass])
    assert_type(client.cloudspaces.list(org="my-org").items, list[CloudSpace])
    assert_type(client.spot_nodepools.list(cloudspace="edge")[0], SpotNodePool)
    for region in client.regions.list():
        assert_type(region, Region)


async def released(client: SpotClient, alone: AsyncSpotClient, workflow: RegistrationWorkflow) -> None:
    """What programs for rsspot 0.3 call, with the types that it has here."""
    spec = SpotNodePoolUpsert(name="workers", cloudspace="edge", server_class="x", bid_price="0.1")
    assert_type(client.spot_nodepools.create(spec, org="my-org"), SpotNodePool)
    assert_type(await client.aspot_nodepools.update(spec), SpotNodePool)
    assert_type(await alone.cloudspaces.create(CloudspaceCreateSpec(name="edge", region="x")), CloudSpace)
    assert_type(await alone.cloudspaces.generate_kubeconfig("edge"), str)
    assert_type(client.pricing.for_region("x").items, list[Quote])
    assert_type(client.pricing.for_server_class("x"), Quote)
    assert_type(client.inventory.list_vmcloudspaces().items, list[VMCloudSpace])
    assert_type(client.inventory.list_vmpools(vmcloudspace="vms").items, list[VMPool])
    assert_type(await alone.authenticate(force_refresh=True), str)
    assert_type(client.resolve_org_id("my-org"), str)
    assert_type(client.request_json("GET", "/x", params={"limit": 1}), dict[str, Any])
    assert_type(client.state.get_preference("default_org"), str | None)
    assert_type(SpotClient(SDKConfig(profiles={"a": ProfileConfig(org="x")}), retries=RetryConfig()), SpotClient)
    assert_type(rsspot.get_sync_client(profile="a", org="my-org"), SpotClient)
    assert_type(workflow.get_record("key"), RegistrationLedgerRecord | None)
    client.spot_nodepools.create(spec, spec)  # type: ignore[call-overload]  # pyright: ignore
    client.regions.list(org="my-org")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def any_kind(client: AsyncSpotClient) -> None:
    """A kind without a group of its own has exact types all the same."""
    assert_type(client.collection(REGION), Collection[Region])
    assert_type(await client.collection(SPOT_NODE_POOL).list(), Listing[SpotNodePool])
    client.widgets  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # noqa: B018


async def the_other_color(client: AsyncSpotClient, both: SpotClient) -> None:
    """Every group of both clients."""
    assert_type(await client.organizations.get("my-org"), Organization)
    assert_type(await client.regions.list(), Listing[Region])
    assert_type(await client.server_classes.get("gp.vs1.medium-dfw"), ServerClass)
    assert_type(await client.pricing.list(), Listing[Quote])
    assert_type(await client.cloudspaces.upgrade("edge", "1.33.0"), CloudSpace)
    assert_type(await client.ondemand_nodepools.wait("name"), OnDemandNodePool)
    assert_type(await client.autopilot_nodepools.create("pilot", {}), AutopilotNodePool)
    assert_type(await client.vm_pools.patch("name", {}), VMPool)
    assert_type(await client.vm_ssh_keys.wait("key"), VMSSHKey)
    assert_type(await client.inventory.list(), Listing[Machine])
    assert_type(await client.events.list(), Listing[OrganizationEvent])
    assert_type(await client.whoami(), Persona)
    assert_type(client.ledger, Ledger)
    assert_type(await both.aorganizations.list(), Listing[Organization])
    assert_type(await both.aregions.get("us-east-iad-1"), Region)
    assert_type(await both.aserver_classes.list(), Listing[ServerClass])
    assert_type(await both.apricing.history("gp.vs1.medium-dfw"), list[PricePoint])
    assert_type(await both.acloudspaces.kubeconfig("edge"), str)
    assert_type(await both.aondemand_nodepools.get("name"), OnDemandNodePool)
    assert_type(await both.aautopilot_nodepools.list(), Listing[AutopilotNodePool])
    assert_type(await both.avm_cloudspaces.get("vms"), VMCloudSpace)
    assert_type(await both.avm_pools.delete("name"), None)
    assert_type(await both.avm_ssh_keys.list(), Listing[VMSSHKey])
    assert_type(await both.aevents.list(), Listing[OrganizationEvent])
    assert_type(await both.awhoami(), Persona)
    assert_type(client.cloudspaces.watch(), AsyncIterator[WatchEvent[CloudSpace]])
    async for change in both.aspot_nodepools.watch(labels="a=b"):
        assert_type(change.object, SpotNodePool)
        assert_type(change.object.spec.autoscaling, Autoscaling | None)
    async with client as same:
        assert_type(same, AsyncSpotClient)
    async with both as the_same:
        assert_type(the_same, SpotClient)


def values(pool: SpotNodePool, quote: Quote, shape: UnexpectedShape) -> None:
    """Fields have the types that they are documented with, and cannot be set."""
    assert_type(pool.name, str)
    assert_type(pool.spec.bid_price, Decimal)
    assert_type(pool.spec.desired, int)
    assert_type(pool.metadata.labels, dict[str, str | None])
    assert_type(quote.available, int | None)
    assert_type(shape.readable, tuple[object, ...])
    pool.spec = pool.spec  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    quote.market = None  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def making_clients() -> None:
    """The same arguments for every way to a client; others are refused."""
    config: dict[str, Any] = {"profiles": {"staging": {}}}
    hooks = Hooks(before=[lambda method, path: {"traceparent": method + path}], after=[seen])
    assert_type(SpotClient(config=config, profile="staging", hooks=hooks, cache=False), SpotClient)
    assert_type(AsyncSpotClient(config=ConfigFile(profiles={"a": Profile(region="x")})), AsyncSpotClient)
    assert_type(rsspot.get_client(organization="my-org", config_path="config.yml"), SpotClient)
    assert_type(rsspot.get_async_client(region="x", config_path=Path("config.yml"), timeout=5.0), AsyncSpotClient)
    assert_type(rsspot.configure(refresh_token="t", state_path="state.db"), None)
    SpotClient(organisation="my-org")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    rsspot.get_client(profle="staging")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    rsspot.configure(timeout="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def seen(exchange: Exchange) -> None:
    assert_type(exchange.status, int | None)
    assert_type(exchange.seconds, float)


async def choices() -> None:
    block: AbstractContextManager[None] = rsspot.use_profile("staging")
    assert_type(block.__enter__(), None)
    with rsspot.use_org("my-org"), rsspot.use_region("us-east-iad-1") as nothing:
        assert_type(nothing, None)
    assert_type(rsspot.list_profiles(config_path="config.yml"), list[str])
    assert_type(rsspot.list_profiles(config=ConfigFile()), list[str])
    assert_type(rsspot.set_active_profile("staging", config_path=Path("config.yml")), None)
    assert_type(rsspot.set_default_profile(None), None)
    assert_type(rsspot.set_default_org("my-org"), None)
    assert_type(rsspot.set_default_region(None), None)
    assert_type(rsspot.close_all_clients(), None)
    assert_type(await rsspot.aclose_all_clients(), None)
    rsspot.set_default_org()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def registering(client: SpotClient) -> None:
    workflow = RegistrationWorkflow(client.ledger, organization="org-a", omni_cluster="prod", worker=None)
    assert_type(workflow.candidates(client.vm_cloudspaces.list()), list[RegistrationCandidate])
    assert_type(workflow.discover(client.vm_cloudspaces.list()), list[RegistrationRecord])
    for record in workflow.claim(limit=10):
        assert_type(workflow.token_issued(record, token_id="t", expires_at=None), RegistrationRecord)
        assert_type(workflow.submitted(record), RegistrationRecord)
        assert_type(workflow.registered(record).status, RegistrationStatus)
        assert_type(workflow.failed(record, "no"), RegistrationRecord)
        assert_type(workflow.skipped(record).last_error, str | None)
    assert_type(RegistrationWorkflow.registration_key("org-a", "vms", "u1"), str)
    RegistrationWorkflow(client.ledger, "org-a", "prod")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]


def failing(error: RsspotError) -> None:
    assert_type(error.hint, str | None)
    assert_type(error.exit_code, int)
    if isinstance(error, rsspot.ApiError):
        assert_type(error.causes, dict[str, str])
        assert_type(error.retry_after, float | None)
    _: type[TimeoutError] = rsspot.NotReady
    __: type[LookupError] = rsspot.NotFound
    ___: type[PermissionError] = rsspot.AuthError
