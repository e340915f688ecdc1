"""The global options, accepted anywhere on the command line before `--`. Parses no other option."""

from __future__ import annotations

import os
from typing import NamedTuple

from rsspot.utils.text import did_you_mean


class GlobalOption(NamedTuple):
    """One global option. metavar: what its value is, None for a flag · help: empty for one that help does not list.

    The history shows the values of all of them that look harmless, which a URL does not.
    """

    attribute: str
    names: tuple[str, ...]
    help: str
    metavar: str | None = None

    @property
    def help_record(self) -> tuple[str, str]:
        """The option and its help, as two columns."""
        # Short names first, as Click writes them.
        names = ", ".join(sorted(self.names, key=len))
        return (f"{names} {self.metavar}" if self.metavar else names, self.help)


FORMATS = ("table", "wide", "json", "yaml", "name", "csv", "jsonpath=…")
"""As `utils.output.FORMATS` has them; importing that would double the time of --help."""
GLOBAL_OPTIONS = (
    GlobalOption("sandbox", ("--sandbox",), "Use the built-in simulator instead of an account."),
    GlobalOption("profile", ("--profile", "-p"), "Profile of the config file.", "NAME"),
    GlobalOption("config_file", ("--config-file", "-c"), "Config file to use.", "FILE"),
    GlobalOption("ledger", ("--ledger",), "Ledger to use instead of state.db: a file or postgresql://….", "URL"),
    GlobalOption("organization", ("--org",), "Organization: name, ID or namespace.", "NAME"),
    GlobalOption("organization", ("--namespace",), "", "NAME"),
    GlobalOption("region", ("--region",), "Region of new objects; lists show only this region.", "NAME"),
    GlobalOption("output", ("--output", "-o"), f"Output format: {', '.join(FORMATS)}.", "FORMAT"),
    GlobalOption("shape", ("--format",), "Shape of JSON and YAML: own, or released as rsspot 0.3 printed it.", "SHAPE"),
    GlobalOption("show_managed_fields", ("--show-managed-fields",), "Show metadata.managedFields in JSON and YAML."),
    GlobalOption("no_color", ("--no-color",), "Print without colors."),
    GlobalOption("no_cache", ("--no-cache",), "Do not use cached responses."),
    GlobalOption("verbose", ("--verbose", "-v"), "Show every request; -vv also shows tracebacks."),
)
BY_NAME = {name: option for option in GLOBAL_OPTIONS for name in option.names}
SHAPES = ("own", "released")


class CliOptions:
    """The values of the global options. (Not a dataclass: importing that would double the time of --help.)

    output: one of FORMATS, or of `reports.registry`; commands refuse those that exist only for what they do not print
    shape: one of SHAPES
    verbose: 1: print every request and how long the command took, 2: also the traceback of an error
    """

    def __init__(
        self,
        *,
        profile: str | None = None,
        config_file: str | None = None,
        ledger: str | None = None,
        organization: str | None = None,
        region: str | None = None,
        output: str = "table",
        shape: str = "own",
        sandbox: bool = False,
        verbose: int = 0,
        no_color: bool = False,
        no_cache: bool = False,
        show_managed_fields: bool = False,
    ) -> None:
        self.profile = profile
        self.config_file = config_file
        self.ledger = ledger
        self.organization = organization
        self.region = region
        self.output = output
        self.shape = shape
        self.sandbox = sandbox
        self.verbose = verbose
        self.no_color = no_color
        self.no_cache = no_cache
        self.show_managed_fields = show_managed_fields


def takes_value(name: str) -> bool | None:
    """Whether a global option has a value; None if there is no global option of this name."""
    if _times_verbose(name):
        return False
    option = BY_NAME.get(name)
    return None if option is None else option.metavar is not None


def split(arguments: list[str], options: CliOptions | None = None) -> tuple[CliOptions, list[str]]:
    """Split a command line into the global options and the rest. Arguments after `--` are left alone.

    options: takes the values, also those before an error
    """
    options = CliOptions() if options is None else options
    rest: list[str] = []
    given: set[str] = set()
    remaining = list(arguments)
    while remaining:
        argument = remaining.pop(0)
        if argument == "--":
            rest += [argument, *remaining]
            break
        name, equals, value = argument.partition("=")
        option = BY_NAME.get(name)
        if times := _times_verbose(argument):
            options.verbose += times
        elif option is None or (equals and option.metavar is None):
            rest.append(argument)
        elif option.metavar is None:
            setattr(options, option.attribute, True)
        elif equals or remaining:
            given.add(option.attribute)
            setattr(options, option.attribute, value if equals else remaining.pop(0))
        else:
            from rsspot.errors import UsageError

            raise UsageError(f"{argument} needs a value")
    if "shape" not in given:
        options.shape = os.environ.get("RSSPOT_FORMAT") or options.shape
    if "output" not in given and options.shape == "released":
        # Programs that read what rsspot 0.3 printed never had to ask for JSON.
        options.output = "json"
    _check(options)
    return options, rest


def _times_verbose(argument: str) -> int:
    """How often an argument says `-v`: twice for `-vv`."""
    if argument == "--verbose":
        return 1
    letters = argument.removeprefix("-")
    return len(letters) if len(letters) == len(argument) - 1 and letters and not letters.strip("v") else 0


def _check(options: CliOptions) -> None:
    """Raise UsageError for a format or shape that does not exist."""
    if options.output == "table" and options.shape in SHAPES:
        return
    from rsspot.errors import UsageError
    from rsspot.reports.registry import format_names
    from rsspot.utils.output import UnknownFormat, check

    try:
        check(options.output, format_names())
    except UnknownFormat as error:
        raise UsageError(error.message, hint=error.hint) from None
    if options.shape not in SHAPES:
        hint = did_you_mean(options.shape, SHAPES) or f"use one of: {', '.join(SHAPES)}"
        raise UsageError(f"unknown shape {options.shape!r}", hint=hint)
