"""RuntimeSettings: what the environment variables say, as one object. Decides no precedence."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, SecretStr

from rsspot.compatibility.config_files import default_config_candidates
from rsspot.constants import BASE_URL, CLIENT_ID, OAUTH_URL
from rsspot.settings import CONFIG_PATHS, expanded, from_environment

NAMES = {
    "profile": "profile",
    "organization": "org",
    "organization_id": "org_id",
    "region": "region",
    "client_id": "client_id",
    "refresh_token": "refresh_token",
    "access_token": "access_token",
    "base_url": "base_url",
    "oauth_url": "oauth_url",
    "timeout": "request_timeout_seconds",
    "retry.max_retries": "max_retries",
    "retry.base_delay": "retry_backoff_factor",
    "verify_ssl": "verify_ssl",
}


class RuntimeSettings(BaseModel):
    """The settings of the environment; None for each that no variable sets. Arguments override variables."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    config_file: Path
    profile: str | None = None
    org: str | None = None
    org_id: str | None = None
    region: str | None = None
    client_id: str | None = None
    refresh_token: SecretStr | None = None
    access_token: SecretStr | None = None
    base_url: str | None = None
    oauth_url: str | None = None
    request_timeout_seconds: float | None = None
    max_retries: int | None = None
    retry_backoff_factor: float | None = None
    verify_ssl: bool | None = None

    def __init__(self, **arguments: Any) -> None:
        found = {NAMES[name]: each.value for name, each in from_environment(os.environ).items() if name in NAMES}
        super().__init__(**{"config_file": _config_file(), **found, **arguments})

    @property
    def fallback_base_url(self) -> str:
        return self.base_url or BASE_URL

    @property
    def fallback_oauth_url(self) -> str:
        return self.oauth_url or OAUTH_URL

    @property
    def fallback_client_id(self) -> str:
        return self.client_id or CLIENT_ID


def _config_file() -> Path:
    named = next((os.environ[name] for name in CONFIG_PATHS if os.environ.get(name)), None)
    return expanded(named) if named else default_config_candidates()[0]
