"""The schema of a config file, for every format: keys, defaults and descriptions. Reads no file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

from rsspot.config.foreign import is_masked
from rsspot.constants import BASE_URL, CLIENT_ID, FEEDS_URL, OAUTH_URL, TRANSIENT_STATUSES
from rsspot.utils.late_names import late_names


class Section(BaseModel):
    """Keys may be in snake_case or camelCase. An unknown key is kept but has no effect."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        extra="allow",
        frozen=True,
        defer_build=True,
        hide_input_in_errors=True,
    )


def _aliases(*names: str) -> Any:
    return Field(validation_alias=AliasChoices(*names))


Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1, coerce_numbers_to_str=True)]


class Retry(Section):
    """How often and how long to retry. A write is retried only if it cannot have been executed."""

    max_retries: int = Field(default=4, ge=0, le=100, description="Maximum number of retries.")
    base_delay: Seconds = Field(
        default=0.25, description="Seconds to wait before the first retry. Doubled for each further retry."
    )
    max_delay: Seconds = Field(default=20.0, description="Maximum wait after doubling, in seconds.")
    jitter: float = Field(default=1.0, ge=0, le=1, description="The random share of each wait, from 0 to 1.")
    max_retry_after: Seconds = Field(
        default=60.0, description="If Retry-After is longer than this many seconds, the request is not retried."
    )
    deadline: Seconds = Field(
        default=120.0, description="Maximum total time of a request in seconds, including retries and waits."
    )
    statuses: tuple[int, ...] = Field(
        default=TRANSIENT_STATUSES, description="HTTP statuses after which a read is retried."
    )


class Cache(Section):
    """Which responses to reads are cached. `plan` and `apply` never use the cache."""

    enabled: bool = Field(default=True, description="Whether responses are cached.")
    persistent: bool = Field(
        default=True, description="Whether the cache is also stored in state.db, for later processes."
    )
    default_ttl: Seconds = Field(default=0.0, description="Seconds that a response stays valid. 0: not cached.")
    ttls: dict[str, Seconds] = Field(
        default_factory=dict,
        description="The same by path pattern (`*` matches anything). The longest match wins. Overrides built-in ones.",
    )
    most_entries: int = Field(
        default=1000, ge=1, description="Maximum number of responses, in memory and in state.db each."
    )
    most_bytes: int = Field(
        default=32 * 1024 * 1024, ge=1, description="Maximum size in bytes, in memory and in state.db each."
    )


class Profile(Section):
    """One account, and how to connect to it."""

    organization: Annotated[Text | None, _aliases("organization", "org")] = Field(
        default=None, description="Name, ID or namespace of the organization."
    )
    organization_id: Annotated[Text | None, _aliases("organizationId", "organization_id", "orgId", "org_id")] = Field(
        default=None, description="ID of the organization. Takes precedence over a name from the same source."
    )
    region: Annotated[Text | None, _aliases("region", "defaultRegion", "default_region")] = Field(
        default=None, description="The region of new cloudspaces that do not specify one."
    )
    refresh_token: SecretStr | None = Field(
        default=None, description="The refresh token, from which id_tokens are obtained."
    )
    refresh_token_file: Text | None = Field(default=None, description="A file that contains the refresh token.")
    access_token: SecretStr | None = Field(default=None, description="An id_token to use until it expires.")
    keyring: bool = Field(
        default=False, description="Whether the refresh token is stored in the operating system's keyring."
    )
    credential_command: Annotated[list[Text], Field(min_length=1)] | None = Field(
        default=None, repr=False, description="A program that prints the refresh token, and its arguments. No shell."
    )
    client_id: Text = Field(
        default=CLIENT_ID, description="The OAuth client ID. The default is the console's, which needs no secret."
    )
    base_url: Text = Field(default=BASE_URL, description="URL of the API.")
    oauth_url: Annotated[Text, _aliases("oauthUrl", "oauth_url", "authUrl", "auth_url")] = Field(
        default=OAUTH_URL, description="URL of the login service, which issues tokens."
    )
    feeds_url: Text = Field(default=FEEDS_URL, description="URL of the public price feeds.")
    proxy: Text | None = Field(default=None, repr=False, description="HTTP proxy for https URLs.")
    no_proxy: Text | None = Field(
        default=None, description="Hosts without the proxy, separated by commas: names, .domains or *."
    )
    verify_ssl: bool = Field(default=True, description="Whether to check the certificate of the service.")
    timeout: Annotated[Seconds, _aliases("timeout", "requestTimeoutSeconds", "request_timeout_seconds")] = Field(
        default=30.0, description="Seconds to wait for a connection or for the next byte."
    )
    rate_limit: float | None = Field(
        default=None, gt=0, description="Maximum number of requests per second. Reduced after a 429."
    )
    most_response_bytes: int = Field(
        default=64 * 1024 * 1024, ge=1024, description="Maximum size of a response in bytes. A larger one is an error."
    )
    history: bool = Field(default=True, description="Whether commands are recorded in state.db, without their secrets.")
    retry: Retry = Field(default_factory=Retry)
    cache: Cache = Field(default_factory=Cache)


class ConfigFile(Section):
    """A whole config file, or the mapping passed to a client instead of one."""

    active_profile: Text | None = Field(default=None, description="The profile to use if none is selected.")
    state_path: Text | None = Field(
        default=None, description="Path of state.db, which holds the ledger, the cache and the history."
    )
    ledger: Text | None = Field(
        default=None,
        repr=False,
        description="URL of the ledger if it is not in state.db, such as postgresql://host/name.",
    )
    preferences: Profile = Field(
        default_factory=Profile, description="Settings for every profile that does not set its own."
    )
    profiles: dict[str, Profile] = Field(default_factory=dict, description="Profiles by name.")


SECRETS = frozenset({"refresh_token", "access_token"})


def leaves(model: type[BaseModel], above: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every setting of a section, by its dotted name."""
    for name, info in model.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, Section):
            yield from leaves(info.annotation, f"{above}{name}.")
        else:
            yield f"{above}{name}", info


def values(section: Section, above: str = "") -> Iterator[tuple[str, Any]]:
    """Every value set in a section, by its dotted name. An empty or masked secret counts as not set."""
    for name in section.model_fields_set & set(type(section).model_fields):
        value = getattr(section, name)
        if isinstance(value, SecretStr):
            secret = value.get_secret_value()
            value = None if not secret or is_masked(secret) else secret
        if isinstance(value, Section):
            yield from values(value, f"{above}{name}.")
        elif value is not None:
            yield f"{above}{name}", value


def spellings(model: type[BaseModel]) -> dict[str, str]:
    """Every spelling of a section's keys, mapped to the field's name."""
    names: dict[str, str] = {}
    for name, info in model.model_fields.items():
        alias = info.validation_alias
        aliases = alias.choices if isinstance(alias, AliasChoices) else ()
        names |= {str(spelling): name for spelling in (name, to_camel(name), *aliases)}
    return names


def nested(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Turn dotted names into nested mappings."""
    tree: dict[str, Any] = {}
    for dotted, value in settings.items():
        *path, last = dotted.split(".")
        section = tree
        for name in path:
            section = section.setdefault(name, {})
        section[last] = value
    return tree


if not TYPE_CHECKING:
    # Models of rsspot 0.3, from a room above this one.
    __getattr__ = late_names(
        __name__,
        {
            "CacheConfig": "rsspot.compatibility.config:CacheConfig",
            "ConfigInput": "rsspot.compatibility.config:ConfigInput",
            "ConfigPaths": "rsspot.compatibility.config_files:ConfigPaths",
            "Preferences": "rsspot.compatibility.config:PreferencesConfig",
            "ProfileConfig": "rsspot.compatibility.config:ProfileConfig",
            "ResolvedConfig": "rsspot.compatibility.config_files:ResolvedConfig",
            "RetryConfig": "rsspot.compatibility.config:RetryConfig",
            "SDKConfig": "rsspot.compatibility.config:SDKConfig",
        },
    )
