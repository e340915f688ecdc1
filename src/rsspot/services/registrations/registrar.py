"""The registrar of a manifest: how it is reached, how long it may take, and how often it is tried again."""

from __future__ import annotations

import re
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, model_validator

from rsspot.models.authoring import Truth, WholeNumber, between, is_authoring, rule
from rsspot.models.fields import COMMAND, SECRET
from rsspot.models.resource import Model

TIMEOUT_SECONDS = 60
ATTEMPTS = 5
BACKOFF_SECONDS = 2
LONGEST_BACKOFF = 300.0
"""Seconds between two attempts at most, however many have failed."""
LOOPBACK = ("127.0.0.1", "::1", "localhost")
ENTRY_POINT = re.compile(r"[A-Za-z_][\w.-]*(:[A-Za-z_][\w.]*)?")
SHORTEST_KEY = 16


def _check_command(command: list[str]) -> None:
    if not command:
        raise ValueError("must name a program")


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if not parts.hostname or parts.scheme not in ("http", "https"):
        raise ValueError("must be an https:// URL")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ValueError("must be an https:// URL: anybody on the way could change what http:// carries")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user or a password: it is shown in plans")


def _check_secret(secret: str) -> None:
    if len(secret) < SHORTEST_KEY:
        raise ValueError(f"must have at least {SHORTEST_KEY} characters")


def _check_entry_point(name: str) -> None:
    if not ENTRY_POINT.fullmatch(name):
        raise ValueError("must be package.module:function, or the name of an entry point of rsspot.registrars")


class Webhook(Model):
    """A URL that questions are posted to as JSON. Requests are signed, so that it can tell them from others."""

    url: Annotated[str, rule(_check_url, format="uri")]
    """Where to. https, or http to this machine. Redirects are not followed."""
    secret: Annotated[str | None, SECRET, rule(_check_secret, minLength=SHORTEST_KEY), Field(repr=False)] = None
    """Key of the signature, HMAC-SHA256, which the receiver has too."""

    @model_validator(mode="after")
    def _has_a_secret(self, info: ValidationInfo) -> Self:
        # The ledger, and what is read from it, has none.
        if is_authoring(info) and self.secret is None:
            raise ValueError("must have a secret: the receiver could not tell our questions from others")
        return self


class Registrar(Model):
    """What registers machines: exactly one of exec, webhook and entryPoint."""

    exec: Annotated[list[str] | None, COMMAND, rule(_check_command, minItems=1)] = None
    """Command line of a program. It reads one JSON object from stdin and prints one. A path with ./ or ../ is looked
    for beside the manifest.
    """
    webhook: Webhook | None = None
    """URL that is asked instead of a program."""
    entry_point: Annotated[str, rule(_check_entry_point, pattern=f"^{ENTRY_POINT.pattern}$")] | None = None
    """Python function that is called instead: `package.module:function`, or the name of an entry point of
    `rsspot.registrars`. It may be a coroutine function.
    """
    timeout_seconds: Annotated[WholeNumber, between(1, 86_400)] = TIMEOUT_SECONDS
    """Seconds that one question may take."""
    find: Truth = False
    """Whether it can be asked first if a machine is registered already, so that a lost ledger rebuilds itself."""

    @model_validator(mode="after")
    def _is_one(self, info: ValidationInfo) -> Self:
        named = [each for each in (self.exec, self.webhook, self.entry_point) if each is not None]
        if is_authoring(info) and len(named) != 1:
            raise ValueError("must have exactly one of exec, webhook and entryPoint")
        return self


class RegistrationRetry(Model):
    """How often a machine is tried again, within a run and by later ones."""

    limit: Annotated[WholeNumber, between(1, 1000)] = ATTEMPTS
    """Failures after which a machine stays failed until `registrations retry`."""
    backoff_seconds: Annotated[WholeNumber, between(0, 3600)] = BACKOFF_SECONDS
    """Seconds before the second attempt. Each further one waits twice as long, up to five minutes."""

    def pause(self, failures: int) -> float:
        """Seconds to wait after so many failures."""
        return min(self.backoff_seconds * 2.0 ** min(failures - 1, 30), LONGEST_BACKOFF)
