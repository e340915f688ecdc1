"""The values that --var gives to variables of manifests."""

from __future__ import annotations

from rsspot.errors import UsageError


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
