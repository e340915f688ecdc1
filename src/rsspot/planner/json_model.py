"""How the models of a saved plan are written."""

from __future__ import annotations

from pydantic import ConfigDict
from pydantic.alias_generators import to_camel

CONFIG = ConfigDict(alias_generator=to_camel, validate_by_name=True, extra="ignore", defer_build=True)
"""camelCase in the file. Members that a later version adds are passed over."""
