"""Config files of the SDK's first releases and of spotctl: their keys as ours. Reads and writes no file.

The first releases (0.1 to 0.3) have `retry` and `cache` for all profiles at the top level, name some settings
otherwise, and let their preferences take precedence over a profile.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic.alias_generators import to_camel

Keys = tuple[str, ...]
Change = tuple[Keys, Any]
DEFAULTS = {"organization": ("profile_orgs", "default_org"), "region": ("profile_regions", "default_region")}
"""Setting -> where the preferences of a first release have it: for one profile, and for all of them."""
WITHOUT_COUNTERPART = ("version", "orgs"), ("max_retries", "retry_backoff_factor")
"""Keys with no effect, at the top level and in a profile."""
MASK = "*"
"""The first releases replaced each secret with asterisks when they wrote a file."""


@dataclass
class Translated:
    """The content of a file with our keys. moved: our key path -> the one in the file, where they differ"""

    content: dict[str, Any]
    moved: dict[Keys, Keys] = field(default_factory=dict)

    def as_written(self, keys: Keys) -> Keys:
        """The key path in the file for one of ours."""
        for length in range(len(keys), 0, -1):
            if keys[:length] in self.moved:
                return self.moved[keys[:length]] + keys[length:]
        return keys

    def move(self, old: Keys, new: Keys, convert: Callable[[Any], Any] = lambda value: value) -> None:
        """Move a value to a path of ours, unless there is one already."""
        above, key = _section(self.content, old[:-1]), _spelling(self.content, old)
        if above is None or key is None:
            return
        value = above.pop(key)
        if value is None or _spelling(self.content, new) is not None:
            return
        target = _section(self.content, new[:-1], create=True)
        if target is not None:
            target[new[-1]] = convert(value)
            self.moved[new] = (*old[:-1], key)

    def drop(self, above: Keys, *names: str) -> None:
        """Remove keys."""
        section = _section(self.content, above)
        for name in names:
            for key in (name, to_camel(name)):
                if section is not None:
                    section.pop(key, None)


def translated(content: Mapping[str, Any]) -> Translated:
    """Rename the keys of a file that was written for another program. Values of ours are kept as they are."""
    result = Translated(copy.deepcopy(dict(content)))
    _choose_profile(result)
    profiles = [("profiles", str(name)) for name in _section(result.content, ("profiles",)) or {}]
    for profile in profiles:
        _move_legacy_retry(result, profile)
    for name in ("retry", "cache"):
        result.move((name,), ("preferences", name))
    for section in (("preferences",), *profiles):
        _move_sections(result, section)
    for setting in DEFAULTS:
        _move_defaults(result, setting, profiles)
    result.drop((), *WITHOUT_COUNTERPART[0])
    return result


def followed(content: Any, changes: Mapping[Keys, Any]) -> dict[Keys, Any]:
    """The changes, and those that keep a first release's preferences in this file from overriding them."""
    return dict(changes) | dict(change for each in changes.items() for change in _following(content, *each))


def is_masked(secret: str) -> bool:
    """Whether a secret was replaced when the file was written, so that nothing is left of it."""
    return bool(secret) and not secret.strip(MASK)


def _choose_profile(result: Translated) -> None:
    """Of three keys for the default profile, the first releases use the first one that is set."""
    ranked = ("preferences", "default_profile"), ("default_profile",)
    chosen = next((keys for keys in ranked if _value(result.content, keys) is not None), None)
    if chosen is not None:
        result.drop((), "active_profile")
        result.move(chosen, ("active_profile",))
    for keys in ranked:
        result.drop(keys[:-1], keys[-1])


def _move_legacy_retry(result: Translated, profile: Keys) -> None:
    """Two keys of a profile that apply only if the file has no `retry`."""
    general = _spelling(result.content, ("retry",)) or _spelling(result.content, (*profile, "retry"))
    if general is None:
        result.move((*profile, "max_retries"), (*profile, "retry", "max_retries"))
        result.move((*profile, "retry_backoff_factor"), (*profile, "retry", "base_delay"))
    result.drop(profile, *WITHOUT_COUNTERPART[1])


def _move_sections(result: Translated, above: Keys) -> None:
    """What `retry` and `cache` name otherwise."""
    retry, cache = (*above, "retry"), (*above, "cache")
    result.move((*retry, "max_attempts"), (*retry, "max_retries"), _retries)
    result.move((*retry, "retry_statuses"), (*retry, "statuses"))
    result.move((*cache, "ttl_defaults"), (*cache, "ttls"), _ttls)
    result.move((*cache, "max_entries"), (*cache, "most_entries"))
    result.move((*cache, "backend"), (*cache, "persistent"), lambda backend: backend != "memory")


def _move_defaults(result: Translated, setting: str, profiles: Sequence[Keys]) -> None:
    """Give each profile what the preferences say of it."""
    of_one, of_all = (("preferences", name) for name in DEFAULTS[setting])
    general = _value(result.content, of_all)
    for profile in profiles:
        keys = (*of_one, profile[-1])
        value = _value(result.content, keys) or general
        section = _section(result.content, profile)
        if value is not None and section is not None:
            result.drop(profile, setting, "org" if setting == "organization" else "default_region")
            section[setting] = value
            result.moved[(*profile, setting)] = keys if _value(result.content, keys) else of_all
    result.move(of_all, ("preferences", setting))
    result.drop(("preferences",), *DEFAULTS[setting])


def _following(content: Any, keys: Keys, value: Any) -> Iterator[Change]:
    if keys in (("activeProfile",), ("active_profile",)):
        for path in (("default_profile",), ("preferences", "default_profile")):
            if _value(content, path) is not None:
                yield path, value
    if len(keys) == 3 and keys[0] == "profiles" and keys[2] in DEFAULTS:
        of_one, of_all = (("preferences", name) for name in DEFAULTS[keys[2]])
        if _value(content, of_all) is not None or _value(content, (*of_one, keys[1])) is not None:
            yield (*of_one, keys[1]), value


def _retries(attempts: Any) -> Any:
    """The first attempt is no retry."""
    return max(attempts, 1) - 1 if isinstance(attempts, int) and not isinstance(attempts, bool) else attempts


def _ttls(by_request: Any) -> Any:
    """Our patterns have no method, since only reads are cached."""
    if not isinstance(by_request, Mapping):
        return by_request
    return {str(key).removeprefix("GET:"): ttl for key, ttl in by_request.items()}


def _section(content: Any, keys: Keys, *, create: bool = False) -> Any:
    """The mapping at a key path, or None if there is none."""
    section = content
    for key in keys:
        if not isinstance(section, dict):
            return None
        if create and section.get(key) is None:
            section[key] = {}
        section = section.get(key)
    return section if isinstance(section, dict) else None


def _spelling(content: Any, keys: Keys) -> str | None:
    """The spelling of the last key in a file, or None if it is not there."""
    section = _section(content, keys[:-1]) or {}
    return next((key for key in (keys[-1], to_camel(keys[-1])) if key in section), None)


def _value(content: Any, keys: Keys) -> Any:
    spelling = _spelling(content, keys)
    return (_section(content, keys[:-1]) or {}).get(spelling) if spelling else None
