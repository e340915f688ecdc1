"""The values that --var gives to variables of manifests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rsspot.errors import UsageError
from rsspot.utils.text import did_you_mean

if TYPE_CHECKING:
    from rsspot.manifests.manifest import ManifestSet


def check_used(variables: dict[str, str], manifests: ManifestSet) -> None:
    """Refuse a --var that stands for nothing: it is mistyped, or meant for other manifests."""
    for name in variables:
        if name not in manifests.variables:
            known = f"variables: {', '.join(sorted(manifests.variables)) or 'none'}"
            hint = did_you_mean(name, manifests.variables) or known
            raise UsageError(f"--var: no manifest declares or uses a variable {name!r}", hint=hint)


def variables_of(given: list[str]) -> dict[str, str]:
    """The values of --var options. Raises UsageError for one that is not NAME=VALUE."""
    variables = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name:
            # The text is not quoted: it may be a secret without its name.
            raise UsageError(
                "--var takes NAME=VALUE", hint="one of its values has no equals sign, or nothing before it"
            )
        variables[name] = value
    return variables
