"""Where a finding is, as programs want it: a path below the folder that they look at. Renders nothing."""

from __future__ import annotations

import os
from pathlib import Path

from rsspot.errors import Origin
from rsspot.manifests.files import STANDARD_INPUT


def relative(origin: Origin | None) -> str | None:
    """The file of an origin below the working directory, with forward slashes. One elsewhere stays absolute.

    None for standard input, or where no file is known.
    """
    if origin is None or Path(origin.file) == STANDARD_INPUT:
        return None
    absolute = os.path.abspath(origin.file)  # noqa: PTH100 - a link is named as its user named it
    here = os.path.join(os.getcwd(), "")  # noqa: PTH109, PTH118
    return Path(absolute.removeprefix(here)).as_posix()
