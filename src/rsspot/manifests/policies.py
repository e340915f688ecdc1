"""What a Stack, or a file that it names, says about policies: expressions that have to hold for a plan."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from rsspot.models.authoring import one_of, rule
from rsspot.models.refs import DNS_LABEL
from rsspot.models.resource import Model

LONGEST_EXPRESSION = 16_384
LONGEST_MESSAGE = 500


class PolicySeverity(StrEnum):
    """What becomes of a plan for which a policy does not hold."""

    DENY = "deny"
    """It is refused."""
    WARN = "warn"
    """It may be applied, and says so."""
    INFO = "info"
    """It mentions it."""


def _check_name(name: str) -> None:
    if not DNS_LABEL.fullmatch(name):
        raise ValueError("must be lowercase letters, digits and hyphens")


def _check_message(message: str) -> None:
    if not message.strip() or len(message) > LONGEST_MESSAGE:
        raise ValueError(f"must be a sentence of at most {LONGEST_MESSAGE} characters")


def _check_expression(expression: str) -> None:
    if not expression.strip() or len(expression) > LONGEST_EXPRESSION:
        raise ValueError(f"must be an expression of at most {LONGEST_EXPRESSION} characters")


class PolicyEntry(Model):
    """A policy, or the file or folder that has some."""

    name: Annotated[str | None, rule(_check_name)] = None
    """What the policy is called. Lowercase letters, digits and hyphens."""
    message: Annotated[str | None, rule(_check_message)] = None
    """What is told where it does not hold: a sentence for whoever wrote the change."""
    severity: Annotated[str, one_of(*PolicySeverity)] = PolicySeverity.DENY.value
    """What becomes of a plan for which it does not hold."""
    expression: Annotated[str | None, rule(_check_expression)] = None
    """What has to hold, in the Common Expression Language."""
    file: str | None = None
    """A file with the expression, `*.cel`, relative to this file; or a file with policies, `*.yaml`."""
    folder: str | None = None
    """A folder with files of policies, relative to this file."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        given = [each for each in (self.expression, self.file, self.folder) if each is not None]
        if len(given) != 1:
            raise ValueError("must have one of expression, file and folder")
        if self.is_list:
            if self.model_fields_set - {"file", "folder"}:
                raise ValueError("a file or folder with policies has their names, messages and severities")
        elif self.name is None or self.message is None:
            raise ValueError("must have a name and a message")
        return self

    @property
    def is_list(self) -> bool:
        """Whether it stands for the policies of a file or folder."""
        return self.folder is not None or (self.file is not None and not self.file.endswith(".cel"))


class PolicyFile(Model):
    """A file with policies."""

    policies: list[PolicyEntry] = Field(default_factory=list)
    """The policies of the file."""
