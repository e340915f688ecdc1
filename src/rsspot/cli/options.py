"""The options that every command takes, wherever on the line they stand. Parses those and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from rsspot.errors import UsageError
from rsspot.utils.output import Output

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
    """What was said about the whole run."""

    profile: str | None = None
    config_file: str | None = None
    organization: str | None = None
    region: str | None = None
    output: Output = "table"
    sandbox: bool = False
    verbose: bool = False
    no_color: bool = False
    no_cache: bool = False


def split(arguments: list[str]) -> tuple[CliOptions, list[str]]:
    """The common options and everything else, in its order. Nothing after `--` is looked at."""
    options = CliOptions()
    rest: list[str] = []
    waiting = list(arguments)
    while waiting:
        word = waiting.pop(0)
        if word == "--":
            return options, [*rest, word, *waiting]
        name, equals, value = word.partition("=")
        if word in FLAGS:
            setattr(options, FLAGS[word], True)
        elif name in WITH_VALUE and name.startswith("--") and equals:
            setattr(options, WITH_VALUE[name], value)
        elif word in WITH_VALUE:
            if not waiting:
                raise UsageError(f"{word} needs a value")
            setattr(options, WITH_VALUE[word], waiting.pop(0))
        else:
            rest.append(word)
    if options.output not in ("table", "json", "yaml"):
        raise UsageError(f"no output format {options.output!r}", hint="use table, json or yaml")
    return options, rest
