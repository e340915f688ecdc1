"""What may stand in a config file, in whichever format, with defaults and sentences for people. Reads none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

from rsspot.constants import BASE_URL, CLIENT_ID, FEEDS_URL, OAUTH_URL

PASSING = (408, 429, 500, 502, 503, 504)


class Section(BaseModel):
    """snake_case and camelCase are the same; a key that is not known is kept and means nothing."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        extra="allow",
        frozen=True,
        defer_build=True,
        hide_input_in_errors=True,
    )


def _also(*names: str) -> Any:
    return Field(validation_alias=AliasChoices(*names))


Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1, coerce_numbers_to_str=True)]


class Retry(Section):
    """How patient requests are. Only what cannot have been executed, or only reads, is ever sent again."""

    max_retries: int = Field(default=4, ge=0, le=100, description="Further attempts after the first.")
    base_delay: Seconds = Field(
        default=0.25, description="Seconds before the second attempt; doubled for each further one."
    )
    max_delay: Seconds = Field(default=20.0, description="The longest such wait.")
    jitter: float = Field(default=1.0, ge=0, le=1, description="The share of each wait that is drawn by lot.")
    max_retry_after: Seconds = Field(default=60.0, description="A Retry-After longer than this ends the attempts.")
    deadline: Seconds = Field(
        default=120.0, description="Seconds after which a request is given up, attempts and waits in all."
    )
    statuses: tuple[int, ...] = Field(default=PASSING, description="Answers to a read that are worth another attempt.")


class Cache(Section):
    """What of the answers to reads is kept. Plan and apply never look at it."""

    enabled: bool = Field(default=True, description="Whether anything is kept.")
    persistent: bool = Field(default=True, description="Whether it outlives the process, in state.db.")
    default_ttl: Seconds = Field(default=0.0, description="Seconds that an answer is good for; 0 keeps none.")
    ttls: dict[str, Seconds] = Field(
        default_factory=dict,
        description="Seconds by path pattern (`*` stands for anything); the longest match wins, over those built in.",
    )
    most_entries: int = Field(default=1000, ge=1, description="Answers kept in memory, and in state.db.")
    most_bytes: int = Field(default=32 * 1024 * 1024, ge=1, description="Bytes kept in memory, and in state.db.")


class Profile(Section):
    """One account and how to speak to it."""

    organization: Annotated[Text | None, _also("organization", "org")] = Field(
        default=None, description="Name, id or namespace of the organization."
    )
    organization_id: Annotated[Text | None, _also("organizationId", "organization_id", "orgId", "org_id")] = Field(
        default=None, description="Its id; wins over a name in the same place."
    )
    region: Text | None = Field(default=None, description="Where a new cloudspace goes that does not say where.")
    refresh_token: SecretStr | None = Field(default=None, description="What id_tokens are made from.")
    refresh_token_file: Text | None = Field(default=None, description="A file that holds it.")
    access_token: SecretStr | None = Field(default=None, description="An id_token to use as it is, until it expires.")
    keyring: bool = Field(default=False, description="Whether the refresh token is in the operating system's keyring.")
    client_id: Text = Field(default=CLIENT_ID, description="The OAuth client; the console's has no secret.")
    base_url: Text = Field(default=BASE_URL, description="Where the API is.")
    oauth_url: Text = Field(default=OAUTH_URL, description="Where tokens come from.")
    feeds_url: Text = Field(default=FEEDS_URL, description="Where the public price feeds are.")
    proxy: Text | None = Field(default=None, repr=False, description="An HTTP proxy for https addresses.")
    timeout: Annotated[Seconds, _also("timeout", "requestTimeoutSeconds", "request_timeout_seconds")] = Field(
        default=30.0, description="Seconds to wait for a connection, or for the next byte."
    )
    rate_limit: float | None = Field(default=None, gt=0, description="Requests in a second at most; less after a 429.")
    most_response_bytes: int = Field(
        default=64 * 1024 * 1024, ge=1024, description="An answer longer than this is refused."
    )
    history: bool = Field(default=True, description="Whether commands are noted in state.db, without their secrets.")
    retry: Retry = Field(default_factory=Retry)
    cache: Cache = Field(default_factory=Cache)


class ConfigFile(Section):
    """A whole config file, or what stands for one at run time."""

    active_profile: Text | None = Field(default=None, description="The profile used when none is named.")
    state_path: Text | None = Field(default=None, description="Where the ledger, the cache and the history are.")
    preferences: Profile = Field(default_factory=Profile, description="What holds for every profile that says nothing.")
    profiles: dict[str, Profile] = Field(default_factory=dict, description="Profiles by name.")


SECRETS = frozenset({"refresh_token", "access_token"})


def leaves(model: type[BaseModel], above: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every setting of a section by its dotted name."""
    for name, info in model.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, Section):
            yield from leaves(info.annotation, f"{above}{name}.")
        else:
            yield f"{above}{name}", info


def values(section: Section, above: str = "") -> Iterator[tuple[str, Any]]:
    """Every value that a section was given, by its dotted name. An empty secret is none."""
    for name in section.model_fields_set & set(type(section).model_fields):
        value = getattr(section, name)
        if isinstance(value, SecretStr):
            value = value.get_secret_value() or None
        if isinstance(value, Section):
            yield from values(value, f"{above}{name}.")
        elif value is not None:
            yield f"{above}{name}", value


def spellings(model: type[BaseModel]) -> dict[str, str]:
    """Every way to write a key of a section -> the field's own name."""
    found: dict[str, str] = {}
    for name, info in model.model_fields.items():
        alias = info.validation_alias
        also = alias.choices if isinstance(alias, AliasChoices) else ()
        found |= {str(each): name for each in (name, to_camel(name), *also)}
    return found


def nested(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted names as sections inside sections."""
    whole: dict[str, Any] = {}
    for dotted, value in settings.items():
        *path, last = dotted.split(".")
        section = whole
        for name in path:
            section = section.setdefault(name, {})
        section[last] = value
    return whole
