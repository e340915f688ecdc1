"""The global options, accepted anywhere on the command line before `--`. Parses no other option."""

from __future__ import annotations

from dataclasses import dataclass

from rsspot.errors import UsageError
from rsspot.reports.registry import REPORTS

WITH_VALUE = {
    "--profile": "profile",
    "-p": "profile",
    "--config-file": "config_file",
    "-c": "config_file",
    "--org": "organization",
    "--region": "region",
    "--output": "output",
    "-o": "output",
}
FLAGS = {
    "--sandbox": "sandbox",
    "--verbose": "verbose",
    "-v": "verbose",
    "--no-color": "no_color",
    "--no-cache": "no_cache",
}


@dataclass
class CliOptions:
    """The values of the global options."""

    profile: str | None = None
    config_file: str | None = None
    organization: str | None = None
    region: str | None = None
    output: str = "table"
    """One of REPORTS. A command that prints objects refuses the formats that exist only for plans and runs."""
    sandbox: bool = False
    verbose: bool = False
    no_color: bool = False
    no_cache: bool = False


def split(arguments: list[str]) -> tuple[CliOptions, list[str]]:
    """Split a command line into the global options and the rest. Arguments after `--` are left alone."""
    options = CliOptions()
    rest: list[str] = []
    remaining = list(arguments)
    while remaining:
        argument = remaining.pop(0)
        if argument == "--":
            return options, [*rest, argument, *remaining]
        name, equals, value = argument.partition("=")
        if argument in FLAGS:
            setattr(options, FLAGS[argument], True)
        elif name in WITH_VALUE and name.startswith("--") and equals:
            setattr(options, WITH_VALUE[name], value)
        elif argument in WITH_VALUE:
            if not remaining:
                raise UsageError(f"{argument} needs a value")
            setattr(options, WITH_VALUE[argument], remaining.pop(0))
        else:
            rest.append(argument)
    if options.output not in REPORTS:
        raise UsageError(f"unknown output format {options.output!r}", hint=f"use one of: {', '.join(REPORTS)}")
    return options, rest
