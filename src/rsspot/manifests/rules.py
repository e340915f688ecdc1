"""Which rule a manifest broke: stable words, for programs that read findings."""

from __future__ import annotations

from enum import StrEnum


class ManifestRule(StrEnum):
    """What is wrong with a manifest by itself. What a plan objects to has rules in `planner.case`."""

    FILE = "file"
    YAML = "yaml"
    STACK = "stack"
    VARIABLE = "variable"
    INCLUDE = "include"
    OVERLAY = "overlay"
    MATRIX = "matrix"
    KIND = "kind"
    API_VERSION = "api-version"
    NAME = "name"
    MISSING_FIELD = "missing-field"
    UNKNOWN_FIELD = "unknown-field"
    VALUE = "value"
    DUPLICATE = "duplicate"
    UNSENDABLE = "unsendable"
