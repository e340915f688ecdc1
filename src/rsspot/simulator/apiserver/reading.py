"""Reads of one object and of lists. All pages of a list come from one version of the store. Changes nothing."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from rsspot.simulator.apiserver.crds import Definition
from rsspot.simulator.apiserver.messages import Cause, Refusal, Request, Response, invalid
from rsspot.simulator.apiserver.negotiation import Negotiated, wanted
from rsspot.simulator.apiserver.objects import Objects
from rsspot.simulator.apiserver.parsing import forbidden, unsupported
from rsspot.simulator.apiserver.selectors import Predicate, predicate
from rsspot.simulator.apiserver.store import Object, Place, TooOld
from rsspot.simulator.apiserver.tables import metadata_list, metadata_of, table

PAGE_LIFETIME = 300.0
"""Seconds until a continue token expires."""
BATCH = 500
"""How many objects are read at a time while a page with selectors is filled."""
LONGEST_VERSION = 19
"""A version with this many digits or more is refused."""
MOST = 1 << 31
"""The upper bound for numbers in queries."""
MATCHES = ("Exact", "NotOlderThan", "")


@dataclass(frozen=True)
class _Page:
    """One page of a list. after: last place of the previous page · version: the one to read, None for the newest"""

    after: Place = ("", "")
    version: int | None = None


class Reader:
    """Answers requests that read objects."""

    def __init__(self, objects: Objects) -> None:
        self.objects, self.store = objects, objects.store

    def get(self, request: Request, definition: Definition, body: Object, status: int = 200) -> Response:
        """The response with an object in the negotiated format."""
        self._check_reached(version_asked(request, 400, "invalid resource version: "))
        negotiated = wanted(request)
        if negotiated.shape == "Table":
            metadata = {"resourceVersion": body["metadata"]["resourceVersion"]}
            included = request.query.get("includeObject", "")
            shown = table(definition, [body], metadata, self.objects.now, included=included, version=negotiated.version)
        else:
            shown = metadata_of(body, negotiated.version) if negotiated.shape else body
        return Response.of_json(status, shown)

    def listed(
        self, request: Request, definition: Definition, namespace: str | None, version: int | None = None
    ) -> Response:
        """The response with a collection or a page of it. version: the version to read, unless the request sets one"""
        negotiated, limit, page = wanted(request), number_asked(request, "limit"), self._page(request)
        page = _Page(page.after, version) if version is not None and page.version is None else page
        keep = predicate(request, definition)
        number_asked(request, "timeoutSeconds")
        shown = self.store.version() if page.version is None else page.version
        try:
            rows, more = self._rows(definition.plural, namespace, page, limit, keep)
            metadata: dict[str, Any] = {"continue": "", "resourceVersion": str(shown)}
            if more and rows:
                last = rows[-1][0]
                metadata["continue"] = _page_token(last, shown, self.objects.now)
                if keep is None:
                    metadata["remainingItemCount"] = self._left(definition.plural, namespace, page, last)
        except TooOld:
            raise _expired(page.after, self.store.version(), self.objects.now) from None
        return self._shown(request, definition, negotiated, [text for _, text in rows], metadata)

    def _shown(
        self,
        request: Request,
        definition: Definition,
        negotiated: Negotiated,
        texts: list[str],
        metadata: dict[str, Any],
    ) -> Response:
        if not negotiated.shape:
            frame = f'{{"apiVersion": "{definition.api_version}", "items": ['
            end = f'], "kind": "{definition.list_kind}", "metadata": {json.dumps(metadata)}}}'
            # The stored JSON texts are returned unchanged. Parsing and serializing them again would dominate the cost.
            return Response(200, (frame + ", ".join(texts) + end).encode())
        bodies = map(json.loads, texts)
        present = {key: value for key, value in metadata.items() if value != ""}
        if negotiated.shape == "Table":
            included = request.query.get("includeObject", "")
            shown = table(definition, bodies, present, self.objects.now, included=included, version=negotiated.version)
        else:
            shown = metadata_list(bodies, present, negotiated.version)
        return Response.of_json(200, shown)

    def _rows(
        self, plural: str, namespace: str | None, page: _Page, limit: int, keep: Predicate | None
    ) -> tuple[list[tuple[Place, str]], bool]:
        """The objects of a page, and whether more follow."""
        if not limit:
            rows = self._texts(plural, namespace, page, page.after, -1)
            return [row for row in rows if keep is None or keep(json.loads(row[1]))], False
        kept: list[tuple[Place, str]] = []
        after, step = page.after, limit + 1 if keep is None else BATCH
        while len(kept) <= limit:
            rows = self._texts(plural, namespace, page, after, step)
            kept += [row for row in rows if keep is None or keep(json.loads(row[1]))]
            if len(rows) < step:
                break
            after = rows[-1][0]
        return kept[:limit], len(kept) > limit

    def _texts(
        self, plural: str, namespace: str | None, page: _Page, after: Place, limit: int
    ) -> list[tuple[Place, str]]:
        if page.version is None:
            return self.store.texts(plural, namespace, after, limit)
        return self.store.texts_at(page.version, plural, namespace, after, limit)

    def _left(self, plural: str, namespace: str | None, page: _Page, after: Place) -> int:
        if page.version is None:
            return self.store.count(plural, namespace, after)
        return self.store.count_at(page.version, plural, namespace, after)

    def _page(self, request: Request) -> _Page:
        """The page and version that a request asks for."""
        token, version = request.query.get("continue", ""), request.query.get("resourceVersion", "")
        match = request.query.get("resourceVersionMatch", "")
        if match:
            check_match(match, version, is_watch=False)
        if token:
            if version not in ("", "0"):
                problem = "specifying resource version is not allowed when using continue"
                raise Refusal(400, "BadRequest", problem)
            return self._continued(token)
        since = version_asked(request, 400, "invalid resource version: ")
        self._check_reached(since)
        return _Page(version=since) if match == "Exact" else _Page()

    def _continued(self, token: str) -> _Page:
        try:
            text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
            namespace, name, version, created = json.loads(text)
            page = _Page((str(namespace), str(name)), int(version))
            age = self.objects.now - float(created)
            if len(str(version)) >= LONGEST_VERSION:
                raise ValueError("no version")
        except (ValueError, TypeError, OverflowError, binascii.Error) as error:
            problem = f"invalid continue token: continue key is not valid: {error}"
            raise Refusal(400, "BadRequest", problem) from None
        if age > PAGE_LIFETIME:
            raise _expired(page.after, self.store.version(), self.objects.now)
        return page

    def _check_reached(self, version: int) -> None:
        """Refuse a version that the store has not reached yet."""
        current = self.store.version()
        if version > current:
            problem = f"Timeout: Too large resource version: {version}, current: {current}"
            causes = (Cause("ResourceVersionTooLarge", "", "Too large resource version"),)
            raise Refusal(504, "Timeout", problem, causes=causes, retry_after=1)


def check_match(match: str, version: str, *, is_watch: bool) -> None:
    """Refuse an invalid resourceVersionMatch, or one that is not allowed here."""
    cause = None
    if match not in MATCHES:
        cause = unsupported("resourceVersionMatch", match, MATCHES)
    elif is_watch:
        cause = forbidden(
            "resourceVersionMatch", "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        )
    elif not version:
        cause = forbidden(
            "resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided"
        )
    elif match == "Exact" and version == "0":
        problem = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
        cause = forbidden("resourceVersionMatch", problem)
    if cause:
        raise invalid("meta.k8s.io", "ListOptions", "", [cause])


def version_asked(request: Request, status: int, about: str) -> int:
    """The resourceVersion in a query; 0 if there is none."""
    version = request.query.get("resourceVersion", "")
    if version and not (version.isascii() and version.isdigit() and len(version) < LONGEST_VERSION):
        problem = f'resourceVersion: Invalid value: "{version}": strconv.ParseUint: parsing "{version}": invalid syntax'
        raise Refusal(status, "BadRequest" if status == 400 else "", about + problem)
    return int(version or 0)


def number_asked(request: Request, name: str) -> int:
    """An integer parameter of a query; 0 if it is missing or negative."""
    text = request.query.get(name, "")
    try:
        # Python parses these as integers, Go does not.
        if not text.isascii() or "_" in text or text.strip() != text:
            raise ValueError(text)
        value = int(text or 0)
        if abs(value) >= 1 << 63:
            raise ValueError(text)
        return min(max(value, 0), MOST)
    except ValueError:
        problem = f'strconv.ParseInt: parsing "{text}": invalid syntax'
        raise Refusal(400, "BadRequest", problem) from None


def _page_token(last: Place, version: int, now: float) -> str:
    return base64.urlsafe_b64encode(json.dumps([*last, version, now]).encode()).decode().rstrip("=")


def _expired(after: Place, version: int, now: float) -> Refusal:
    """The refusal of an expired continue token. It has a new token, which continues at the current version."""
    message = (
        "The provided continue parameter is too old to display a consistent list result. You can start a new list "
        "without the continue parameter, or use the continue token in this response to retrieve the remainder of the "
        "results. Continuing with the provided token results in an inconsistent list - objects that were created, "
        "modified, or deleted between the time the first chunk was returned and now may show up in the list."
    )
    return Refusal(410, "Expired", message, token=_page_token(after, version, now))
