"""The files that `${file:…}` reads: regular ones, bounded, and which of them any field may have."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rsspot.errors import ConfigError
from rsspot.manifests.leaks import is_credentials_file
from rsspot.manifests.own_files import CREDENTIALS, is_of_the_kernel, is_own_file
from rsspot.manifests.rules import ManifestRule
from rsspot.settings import user_home
from rsspot.utils.reading import read_text

LARGEST_FILE = 64 * 1024
_NAMES_A_CREDENTIAL = re.compile(rf"\b(?:{'|'.join(sorted(CREDENTIALS))})[\"']?\s*[:=]", re.IGNORECASE)


@dataclass(frozen=True)
class Withheld:
    """Why a value may stand only in a field that is secret."""

    message: str
    hint: str | None


class Refused(Exception):
    """A reference that stands for nothing, or for what must not be sent. hint: the way out"""

    def __init__(self, message: str, hint: str | None, rule: str = ManifestRule.VARIABLE) -> None:
        super().__init__(message)
        self.message, self.hint, self.rule = message, hint, rule


@dataclass(frozen=True)
class Files:
    """Reads files for references. folders: manifest file -> the folders that its fields may show files of

    everywhere: whether that is not checked, for manifests whose plan was made before
    """

    folders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    everywhere: bool = False
    _real: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)
    _texts: dict[str, str | Exception] = field(default_factory=dict, repr=False)

    def text(self, name: str, manifest: str) -> tuple[str | Exception, Withheld | None]:
        """The text of a file or why it has none, and why it must not be shown. Raises Refused for credentials."""
        if "\0" in name:
            return ValueError("a null character in its name"), None
        if (name, manifest) not in self._real:
            self._real[name, manifest] = os.path.realpath(self._path(name, manifest))
        real = self._real[name, manifest]
        if real not in self._texts:
            self._texts[real] = self._read(real)
        text = self._texts[real]
        if isinstance(text, Refused):
            raise Refused(f"the file {Path(name).name!r} {text.message}", text.hint)
        return text, self._withheld(name, real, text, manifest)

    def _read(self, real: str) -> str | Exception:
        """The text of a file without the line ends after it; or why there is none, or none to be sent."""
        try:
            if is_own_file(real, self.environ):
                return Refused("holds credentials and is never sent as a value", None)
            if is_of_the_kernel(real):
                return ValueError("not a regular file")
            text = read_text(Path(real), most=LARGEST_FILE)
        except (OSError, ValueError) as error:
            return error
        if is_credentials_file(text):
            return Refused("holds credentials and is never sent as a value", None)
        return text.rstrip("\r\n")

    def _path(self, name: str, manifest: str) -> Path:
        """Where a file is: beside the manifest, or in the user's home."""
        if not name.startswith("~/"):
            return Path(manifest).parent / name
        try:
            return user_home(self.environ) / name.removeprefix("~/")
        except ConfigError as error:
            raise Refused(error.message, error.hint) from None

    def _withheld(self, name: str, real: str, text: str | Exception, manifest: str) -> Withheld | None:
        folders = self.folders.get(manifest, ())
        if not self.everywhere and not any(Path(real).is_relative_to(folder) for folder in folders):
            message = f"the file {name!r} is outside of {' and '.join(folders)}, and the field is not secret"
            return Withheld(message, "copy it there; links are followed first")
        if isinstance(text, str) and _NAMES_A_CREDENTIAL.search(text):
            return Withheld(f"the file {name!r} holds credentials, and the field is not secret", None)
        return None
