"""SDKConfig and its parts: a config file as objects that can be changed. Each converts to our settings and back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr, model_validator

from rsspot.config.files import is_single_profile
from rsspot.config.models import Cache, ConfigFile, Profile, Retry, Section
from rsspot.constants import BASE_URL, CLIENT_ID, OAUTH_URL

GET = "GET:"
"""What the keys of `ttl_defaults` begin with: only reads are cached."""


def _default(section: type[Section], name: str) -> Any:
    return section.model_fields[name].default


def _alias(name: str, *others: str) -> Any:
    return AliasChoices(name, *others)


class RetryConfig(BaseModel):
    """How often to try. max_attempts counts the first one. Delays in seconds. What is not set stays as we have it."""

    model_config = ConfigDict(extra="forbid")

    max_attempts: int = Field(default=_default(Retry, "max_retries") + 1, ge=1)
    base_delay: float = _default(Retry, "base_delay")
    max_delay: float = _default(Retry, "max_delay")
    jitter: float = _default(Retry, "jitter")
    retry_statuses: list[int] = Field(default_factory=lambda: list(_default(Retry, "statuses")))

    def settings(self) -> dict[str, Any]:
        """The same as the section `retry` of a profile."""
        given = self.model_dump(exclude_unset=True)
        renamed = {"retry_statuses": "statuses"}
        settings = {renamed.get(name, name): value for name, value in given.items() if name != "max_attempts"}
        return settings | ({"max_retries": self.max_attempts - 1} if "max_attempts" in given else {})

    @classmethod
    def of(cls, retry: Retry) -> Self:
        """The retry settings of a profile."""
        given = _given(retry, {"base_delay": "base_delay", "max_delay": "max_delay", "jitter": "jitter"})
        if "max_retries" in retry.model_fields_set:
            given["max_attempts"] = retry.max_retries + 1
        if "statuses" in retry.model_fields_set:
            given["retry_statuses"] = list(retry.statuses)
        return cls(**given)


class CacheConfig(BaseModel):
    """What to cache. ttl_defaults: `GET:/path`, or a pattern with `*`, -> seconds. backend: memory keeps no file."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool = True
    ttl_defaults: dict[str, float] = Field(default_factory=dict)
    default_ttl: float = _default(Cache, "default_ttl")
    max_entries: int = _default(Cache, "most_entries")
    backend: Literal["sqlite", "memory"] = "sqlite"

    def settings(self) -> dict[str, Any]:
        """The same as the section `cache` of a profile."""
        renamed = {"max_entries": "most_entries"}
        settings = {renamed.get(name, name): value for name, value in self.model_dump(exclude_unset=True).items()}
        if "ttl_defaults" in settings:
            settings["ttls"] = {key.removeprefix(GET): ttl for key, ttl in settings.pop("ttl_defaults").items()}
        if "backend" in settings:
            settings["persistent"] = settings.pop("backend") == "sqlite"
        return settings

    @classmethod
    def of(cls, cache: Cache) -> Self:
        """The cache settings of a profile."""
        names = {"enabled": "enabled", "default_ttl": "default_ttl", "most_entries": "max_entries"}
        given = _given(cache, names)
        if "ttls" in cache.model_fields_set:
            given["ttl_defaults"] = {f"{GET}{path}": ttl for path, ttl in cache.ttls.items()}
        if "persistent" in cache.model_fields_set:
            given["backend"] = "sqlite" if cache.persistent else "memory"
        return cls(**given)


class ProfileConfig(BaseModel):
    """One account. Where neither is set, `max_retries` and `retry_backoff_factor` are as in `retry`."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    org: str | None = Field(default=None, validation_alias=_alias("org", "organization"))
    org_id: str | None = Field(
        default=None, validation_alias=_alias("org_id", "orgId", "organization_id", "organizationId")
    )
    region: str | None = Field(default=None, validation_alias=_alias("region", "default_region"))
    client_id: str = Field(default=CLIENT_ID, validation_alias=_alias("client_id", "clientId"))
    refresh_token: SecretStr | None = Field(default=None, validation_alias=_alias("refresh_token", "refreshToken"))
    access_token: SecretStr | None = Field(default=None, validation_alias=_alias("access_token", "accessToken"))
    base_url: str = Field(default=BASE_URL, validation_alias=_alias("base_url", "baseUrl"))
    oauth_url: str = Field(default=OAUTH_URL, validation_alias=_alias("oauth_url", "oauthUrl", "auth_url", "authUrl"))
    request_timeout_seconds: float = Field(
        default=30.0, validation_alias=_alias("request_timeout_seconds", "requestTimeoutSeconds", "timeout")
    )
    verify_ssl: bool = Field(default=True, validation_alias=_alias("verify_ssl", "verifySsl"))
    max_retries: int = Field(
        default=_default(Retry, "max_retries"), validation_alias=_alias("max_retries", "maxRetries")
    )
    retry_backoff_factor: float = Field(
        default=_default(Retry, "base_delay"), validation_alias=_alias("retry_backoff_factor", "retryBackoffFactor")
    )
    retry: RetryConfig | None = None
    cache: CacheConfig | None = None

    def settings(self) -> dict[str, Any]:
        """The same as a profile of a config file, with plain secrets."""
        settings = {
            OUR_NAMES.get(name, name): value.get_secret_value() if isinstance(value, SecretStr) else value
            for name in self.model_fields_set - STRUCTURED
            if (value := getattr(self, name)) is not None
        }
        return settings | {
            section: value for section, value in (("retry", self._retry()), ("cache", self._cache())) if value
        }

    def _retry(self) -> dict[str, Any]:
        names = {"max_retries": "max_retries", "retry_backoff_factor": "base_delay"}
        return _given(self, names) | (self.retry.settings() if self.retry else {})

    def _cache(self) -> dict[str, Any]:
        return self.cache.settings() if self.cache else {}

    @classmethod
    def of(cls, profile: Profile) -> Self:
        """A profile of a config file. What we have beyond these fields is kept as it is."""
        given = {THEIR_NAMES.get(name, name): getattr(profile, name) for name in profile.model_fields_set}
        if isinstance(retry := given.get("retry"), Retry):
            given["retry"] = RetryConfig.of(retry)
        if isinstance(cache := given.get("cache"), Cache):
            given["cache"] = CacheConfig.of(cache)
        return cls(**given)


STRUCTURED = frozenset({"retry", "cache", "max_retries", "retry_backoff_factor"})
OUR_NAMES = {"org": "organization", "org_id": "organization_id", "request_timeout_seconds": "timeout"}
THEIR_NAMES = {ours: theirs for theirs, ours in OUR_NAMES.items()}


class PreferencesConfig(BaseModel):
    """Defaults for every profile, or by profile."""

    model_config = ConfigDict(extra="allow")

    default_profile: str | None = None
    default_org: str | None = None
    default_region: str | None = None
    profile_orgs: dict[str, str] = Field(default_factory=dict)
    profile_regions: dict[str, str] = Field(default_factory=dict)


class SDKConfig(BaseModel):
    """A whole config file. `SpotClient(SDKConfig(…))` uses it instead of one."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    version: str = "2"
    default_profile: str | None = None
    active_profile: str | None = Field(default=None, validation_alias=_alias("active_profile", "activeProfile"))
    profiles: dict[str, ProfileConfig] = Field(default_factory=dict)
    preferences: PreferencesConfig = Field(default_factory=PreferencesConfig)
    retry: RetryConfig = Field(default_factory=RetryConfig)
    cache: CacheConfig = Field(default_factory=CacheConfig)
    state_path: str | None = Field(default=None, validation_alias=_alias("state_path", "statePath"))

    @model_validator(mode="before")
    @classmethod
    def _of_a_single_profile(cls, content: Any) -> Any:
        """The content of a file whose top level is one profile."""
        if not isinstance(content, Mapping) or not is_single_profile(content):
            return content
        return {"default_profile": "default", "active_profile": "default", "profiles": {"default": dict(content)}}

    def file(self) -> ConfigFile:
        """The same as our model of a config file."""
        content: dict[str, Any] = {
            "active_profile": self.preferences.default_profile or self.default_profile or self.active_profile,
            "state_path": self.state_path,
            "preferences": self._for_every_profile() or None,
            "profiles": {name: self._profile(name) for name in self.profiles},
        }
        return ConfigFile.model_validate({key: value for key, value in content.items() if value is not None})

    def _for_every_profile(self) -> dict[str, Any]:
        sections = {"retry": self.retry.settings(), "cache": self.cache.settings()}
        return {name: section for name, section in sections.items() if section}

    def _profile(self, name: str) -> dict[str, Any]:
        defaults = {
            "organization": self.preferences.profile_orgs.get(name) or self.preferences.default_org,
            "region": self.preferences.profile_regions.get(name) or self.preferences.default_region,
        }
        chosen = {setting: value for setting, value in defaults.items() if value}
        return self.profiles[name].settings() | chosen

    @classmethod
    def of(cls, file: ConfigFile) -> Self:
        """The same as a config file that was read. What it sets for every profile is written into each."""
        everywhere = _set_fields(file.preferences, but=("retry", "cache"))
        profiles = {name: Profile(**(everywhere | _set_fields(each))) for name, each in file.profiles.items()}
        return cls(
            default_profile=file.active_profile,
            active_profile=file.active_profile,
            profiles={name: ProfileConfig.of(profile) for name, profile in profiles.items()},
            retry=RetryConfig.of(file.preferences.retry),
            cache=CacheConfig.of(file.preferences.cache),
            state_path=file.state_path,
        )


ConfigInput = SDKConfig | dict[str, Any]


def _given(model: BaseModel, names: Mapping[str, str]) -> dict[str, Any]:
    """The fields of a model that were set, under other names."""
    return {theirs: getattr(model, ours) for ours, theirs in names.items() if ours in model.model_fields_set}


def _set_fields(profile: Profile, but: Collection[str] = ()) -> dict[str, Any]:
    return {name: getattr(profile, name) for name in profile.model_fields_set if name not in but}


def plain(value: Any) -> Any:
    """Settings as plain values for a file, secrets included."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items() if each is not None}
    return list(value) if isinstance(value, tuple) else value
