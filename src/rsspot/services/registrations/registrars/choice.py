"""Which registrar a manifest names. Imports only what that one takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rsspot.services.registrations.registrars.protocol import RegistrarClient, RegistrarFailed


def registrar_of(spec: Mapping[str, Any]) -> RegistrarClient:
    """The registrar of a manifest. Raises RegistrarFailed if it names none."""
    if command := spec.get("exec"):
        from rsspot.services.registrations.registrars.exec import ProgramRegistrar

        return ProgramRegistrar(command)
    if webhook := spec.get("webhook"):
        from rsspot.services.registrations.registrars.webhook import WebhookRegistrar

        return WebhookRegistrar(webhook["url"], webhook.get("secret") or "")
    if name := spec.get("entryPoint"):
        from rsspot.services.registrations.registrars.entry_point import FunctionRegistrar

        return FunctionRegistrar(name)
    raise RegistrarFailed("no registrar is named", hint="exactly one of exec, webhook and entryPoint")
