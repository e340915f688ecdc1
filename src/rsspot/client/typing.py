"""ClientOptions: the arguments of a client as a TypedDict, for functions that pass them on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rsspot.auth.bearer import LogIn
from rsspot.auth.stores import CredentialStore
from rsspot.compatibility.options import ReleasedOptions
from rsspot.config.loader import Resolved
from rsspot.config.models import ConfigFile
from rsspot.http.hooks import Hooks
from rsspot.utils.clock import Clock
from rsspot.wire import httpx

if TYPE_CHECKING:
    from rsspot.compatibility.config import CacheConfig, SDKConfig


class ClientOptions(ReleasedOptions, total=False):
    """The options are described in `AsyncSpotClient`."""

    config: ConfigFile | SDKConfig | Mapping[str, Any] | None
    config_path: Path | str | None
    profile: str | None
    organization: str | None
    region: str | None
    refresh_token: str | None
    access_token: str | None
    base_url: str | None
    oauth_url: str | None
    client_id: str | None
    timeout: float | None
    state_path: Path | str | None
    ledger: str | None
    cache: bool | CacheConfig
    hooks: Hooks | None
    transport: httpx.AsyncBaseTransport | None
    clock: Clock | None
    token_folder: Path | None
    credential_store: CredentialStore | None
    log_in: LogIn | None
    resolved: Resolved | None
