"""The commands `export` and `import`: read options, have manifests of live objects made, and write or print them."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from rsspot.cli.plan_options import VARIABLE, VARIABLE_FILE, fresh_session
from rsspot.cli.session import CliSession
from rsspot.cli_history import shown
from rsspot.errors import UsageError
from rsspot.manifests.files import SCHEMA_FILE, STANDARD_INPUT
from rsspot.utils.text import printable

if TYPE_CHECKING:
    from rsspot.manifests.manifest import ManifestSet
    from rsspot.workflows.export import LiveObjects, WrittenObject

NAMES = shown(
    typer.Argument(None, metavar="KIND/NAME", help="Objects, such as spotnodepool/edge/workers.", show_default=False)
)
EVERYTHING = typer.Option(False, "--all", help="Every object that a manifest can declare.")
ONE_FILE = typer.Option(False, "--one-file", help="Write one file instead of one for each cloudspace.")
STANDARD_OUTPUT = STANDARD_INPUT
ONLY_TO_A_FOLDER = "--out DIR writes a folder for each stack; --stack NAME chooses one"


def export(
    names: list[str] | None = NAMES,
    everything: bool = EVERYTHING,
    stack: str | None = shown(typer.Option(None, "--stack", help="Only objects of this stack.")),
    out: Path = shown(typer.Option(STANDARD_OUTPUT, "--out", help="Folder to write to; - for standard output.")),
    one_file: bool = ONE_FILE,
    force: bool = typer.Option(False, "--force", help="Replace files of the same names."),
) -> None:
    """Write manifests of live objects, for the stacks that they belong to. A plan of them changes nothing.

    Secrets are not written: ${env:NAME} stands for each. Sends only GET requests.
    """
    from rsspot.workflows.export import exported, stacks_of

    names = names or []
    cli = _session(names, everything, stack)
    if out == STANDARD_OUTPUT and cli.options.output not in ("table", "yaml"):
        raise UsageError(f"manifests cannot be printed with -o {cli.options.output}", hint="write them with --out DIR")
    notes: list[str] = []
    written = exported(_live_objects(cli, names), names, stack=stack, notes=notes)
    if out == STANDARD_OUTPUT:
        _print(written, stacks_of(written), notes)
        return
    folders = {_folder_of(each, stacks_of(written), out): each for each in stacks_of(written)}
    result = _Result(cli, notes)
    for folder, owner in folders.items():
        result.add(folder, [each for each in written if each.stack == owner], owner, one_file)
    result.write(overwrite=force, hint="name another folder, or replace them with --force")
    result.show([["plan", str(folder), *([] if owner else ["--adopt"])] for folder, owner in folders.items()])


def import_(
    names: list[str] | None = NAMES,
    everything: bool = EVERYTHING,
    stack: str | None = shown(
        typer.Option(None, "--stack", help="Stack that they become part of. Default: that of DIR, or its name.")
    ),
    out: Path = shown(typer.Option(Path(), "--out", help="Folder of the stack. Default: the current folder.")),
    one_file: bool = ONE_FILE,
    var: list[str] = VARIABLE,
    var_file: list[Path] = VARIABLE_FILE,
) -> None:
    """Write manifests of live objects, so that they become part of a stack with `apply --adopt`.

    What the folder declares already is left out, and no file is overwritten. Changes nothing on the service.
    """
    from rsspot.workflows.export import imported
    from rsspot.workflows.manifest_files import names_in

    names = names or []
    cli = _session(names, everything, stack)
    existing = _manifests_in(cli, out, var, var_file)
    owner, with_stack = _stack_for(out, existing, stack)
    notes: list[str] = []
    declared = existing.manifests if existing else ()
    written = imported(_live_objects(cli, names), names, stack=owner, declared=declared, notes=notes)
    result = _Result(cli, notes)
    result.add(out, written, owner if with_stack else None, one_file, taken=names_in(out))
    result.write(overwrite=False, hint="name another folder")
    result.show([["plan", str(out), "--adopt"], ["apply", str(out), "--adopt"]])


class _Result:
    """What a command writes, and what it says about it."""

    def __init__(self, cli: CliSession, notes: Sequence[str]) -> None:
        self._cli, self._notes = cli, notes
        self._texts: dict[Path, dict[str, str]] = {}
        self._variables: dict[str, str] = {}
        self._written: list[str] = []

    def add(
        self,
        folder: Path,
        written: Sequence[WrittenObject],
        stack: str | None,
        one_file: bool,
        taken: Sequence[str] = (),
    ) -> None:
        """The files of one stack. taken: names that are in the way"""
        from rsspot.workflows.manifest_files import files_of

        files = files_of(written, stack, one_file=one_file, taken=taken)
        if written:
            self._texts[folder] = dict(files.texts)
            self._variables |= files.variables

    def write(self, *, overwrite: bool, hint: str) -> None:
        """Write all of it, with a schema for editors in each folder that has none."""
        from rsspot.manifests.placing import require_room, write_files
        from rsspot.manifests.schema import schema_text

        for folder, texts in self._texts.items():
            require_room(folder, () if overwrite else texts, hint=hint)
        for folder, texts in self._texts.items():
            schema = {} if (folder / SCHEMA_FILE).exists() else {SCHEMA_FILE: schema_text()}
            self._written += map(str, write_files(folder, {**texts, **schema}, overwrite=overwrite))

    def show(self, following: Sequence[Sequence[str]]) -> None:
        """Say what was written, which variables stand for secrets, and what to run next."""
        rsspot = ["rsspot", *(["--sandbox"] if self._cli.options.sandbox else [])]
        commands = [shlex.join([*rsspot, *each]) for each in following] if self._written else []
        if self._cli.options.output == "table":
            self._cli.emit("\n".join(self._lines(commands)))
        else:
            result = {"written": self._written, "variables": self._variables, "notes": list(self._notes)}
            self._cli.emit({**result, "next": commands})

    def _lines(self, commands: Sequence[str]) -> list[str]:
        lines = [f"Wrote {', '.join(self._written)}." if self._written else "Nothing to write."]
        lines += [printable(f"Note: {note}.") for note in self._notes]
        if self._variables:
            lines += ["Set these variables for the secrets:", *_columns(self._variables)]
        return [*lines, *(["Next:"] if commands else []), *(f"  {each}" for each in commands)]


def _session(names: Sequence[str], everything: bool, stack: str | None) -> CliSession:
    """The session of a command whose options fit together."""
    from rsspot.workflows.first_stack import usable_name

    if names and everything:
        raise UsageError("cannot combine --all with names", hint="give either --all or names")
    if not names and not everything:
        raise UsageError("no objects given", hint="name them, such as cloudspace/edge, or give --all")
    if stack is not None:
        usable_name(stack)
    return fresh_session()


def _live_objects(cli: CliSession, names: Sequence[str]) -> LiveObjects:
    from rsspot.workflows.export import read_live_objects

    cli.client.ledger = cli.reading_ledger
    return cli.run(read_live_objects(cli.client, cli.reading_ledger, names))


def _print(written: Sequence[WrittenObject], stacks: Sequence[str | None], notes: Sequence[str]) -> None:
    from rsspot.workflows.manifest_files import stream_of

    if len(stacks) > 1:
        owners = ", ".join("no stack" if each is None else repr(each) for each in stacks)
        raise UsageError(f"these objects belong to {owners}, and one text is for one stack", hint=ONLY_TO_A_FOLDER)
    files = stream_of(written, stacks[0] if stacks else None)
    for note in notes:
        print(printable(f"Note: {note}."), file=sys.stderr)
    if files.variables:
        print("\n".join(["Set these variables for the secrets:", *_columns(files.variables)]), file=sys.stderr)
    print("".join(files.texts.values()), end="")
    if not written:
        print("Nothing found.", file=sys.stderr)


def _columns(variables: Mapping[str, str]) -> list[str]:
    width = max(map(len, variables))
    return [f"  {name:{width}}  {what}" for name, what in variables.items()]


def _folder_of(stack: str | None, stacks: Sequence[str | None], out: Path) -> Path:
    """The folder of a stack: the given one, or one inside it where there are several."""
    from rsspot.workflows.manifest_files import UNOWNED

    return out if len(stacks) == 1 else out / (UNOWNED if stack is None else stack)


def _manifests_in(cli: CliSession, folder: Path, var: list[str], var_file: list[Path]) -> ManifestSet | None:
    """The manifests that a folder has already; None if it has none."""
    from rsspot.cli.plan_options import load_manifests
    from rsspot.manifests.files import find_files

    if not folder.is_dir() or not find_files([folder])[0]:
        return None
    return load_manifests(cli, [folder], var, var_file, may_be_empty=True)


def _stack_for(folder: Path, existing: ManifestSet | None, given: str | None) -> tuple[str, bool]:
    """The stack that imported objects become part of, and whether a Stack is to be written.

    Raises UsageError if that of the folder is another one.
    """
    from rsspot.workflows.first_stack import name_from

    if existing is None or not (existing.named or existing.manifests):
        return given or name_from(folder), True
    if given not in (None, existing.stack):
        hint = "leave --stack out" if existing.named else "add a Stack document with the name first"
        raise UsageError(f"the manifests in {folder} are of the stack {existing.stack!r}, not {given!r}", hint=hint)
    return existing.stack, False


COMMANDS: dict[str, Any] = {"export": export, "import": import_}
