"""What to do about an error of the service: every status has a hint, and the command line shows both."""

from __future__ import annotations

import pytest

from rsspot.cli.errors import report
from rsspot.cli.options import CliOptions
from rsspot.errors import NotFound, OutcomeUnknown
from rsspot.http.failures import error_of
from rsspot.http.next_steps import next_step
from rsspot.wire import httpx


def answer(method: str, status: int, **body: str) -> httpx.Response:
    """A failed response with a Kubernetes Status."""
    return httpx.Response(status, request=httpx.Request(method, "http://127.0.0.1/x"), json=body)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 409, 410, 413, 415, 422, 429, 500, 502, 503, 504])
def test_every_usual_status_has_a_next_step(status: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Printed beside the status and the service's own message."""
    report(error_of(answer("GET", status, message="why")), CliOptions())
    error, hint = capsys.readouterr().err.splitlines()
    assert error.startswith("error: ") and "why" in error and f"(HTTP {status})" in error
    assert hint.startswith("  hint: ")


def test_a_refusal_by_a_rule_is_not_taken_for_a_missing_permission() -> None:
    """Both have status 403."""
    denied = next_step(403, "", 'admission webhook "bids.example.com" denied the request: too low')
    assert denied and "values" in denied and "role" not in denied
    assert "role" in str(next_step(403, "Forbidden", "cannot list"))


def test_a_name_that_is_taken_is_not_a_concurrent_change() -> None:
    """Both have status 409."""
    assert next_step(409, "AlreadyExists", "") != next_step(409, "Conflict", "")


def test_an_unknown_outcome_is_looked_up_before_a_repetition() -> None:
    """Repeating could do it twice."""
    actual = error_of(answer("POST", 503, message="why"))
    assert isinstance(actual, OutcomeUnknown)
    assert "before you repeat" in str(actual.hint)


def test_an_error_without_such_a_response_has_no_status(capsys: pytest.CaptureFixture[str]) -> None:
    """A name that is not in a list was found by a request that succeeded."""
    report(NotFound("none has this name", status=404), CliOptions())
    assert capsys.readouterr().err == "error: none has this name\n"
