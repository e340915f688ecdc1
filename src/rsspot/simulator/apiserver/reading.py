"""Reads of one object and of lists. All pages of a list come from one version of the store. Changes nothing."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, replace
from typing import Any

from rsspot.simulator.apiserver.crds import Definition
from rsspot.simulator.apiserver.decoding import INT64
from rsspot.simulator.apiserver.messages import Cause, Refusal, Request, Response
from rsspot.simulator.apiserver.negotiation import METADATA, METADATA_LIST, Negotiated, wanted
from rsspot.simulator.apiserver.objects import Objects
from rsspot.simulator.apiserver.queries import INVALID_VERSION, check_list_options, number_asked, version_asked
from rsspot.simulator.apiserver.selectors import Predicate, only_name, predicate
from rsspot.simulator.apiserver.store import Object, Place, TooOld
from rsspot.simulator.apiserver.tables import metadata_list, metadata_of, table

PAGE_LIFETIME = 300.0
"""Seconds until a continue token expires."""
BATCH = 500
"""How many objects are read at a time while a page with selectors is filled."""


@dataclass(frozen=True)
class _Page:
    """One page of a list.

    after: last place of the previous page · version: the one to read, None for the newest
    left: how many objects there are after the previous page; None if they have not been counted
    """

    after: Place = ("", "")
    version: int | None = None
    left: int | None = None


class Reader:
    """Answers requests that read objects."""

    def __init__(self, objects: Objects) -> None:
        self.objects, self.store = objects, objects.store

    def get(self, request: Request, definition: Definition, body: Object, status: int = 200) -> Response:
        """The response with an object in the negotiated format."""
        self._check_reached(version_asked(request, 500, ""))
        negotiated = wanted(request)
        if negotiated.shape == METADATA_LIST:
            raise Refusal(500, "", "content is not a list")
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
        check_list_options(request)
        keep = predicate(request, definition)
        scope = _scope(definition, namespace)
        negotiated, limit, page = wanted(request), number_asked(request, "limit"), self._page(request, scope)
        if negotiated.shape == METADATA:
            problem = f"you requested {METADATA}, but the requested object is a list (*unstructured.UnstructuredList)"
            raise Refusal(406, "NotAcceptable", problem)
        page = replace(page, version=version) if version is not None and page.version is None else page
        shown = self.store.version() if page.version is None else page.version
        try:
            name = only_name(request) if page.version is None else ""
            rows, more = self._rows(definition.plural, namespace, page, limit, keep, name)
            metadata: dict[str, Any] = {"continue": "", "resourceVersion": str(shown)}
            if more and rows:
                # Counted once for a list: each page has so many fewer.
                left = self._left(definition.plural, namespace, page) - len(rows) if keep is None else None
                counted = () if left is None else (left, scope)
                metadata["continue"] = _page_token(rows[-1][0], shown, self.objects.now, counted)
                if left is not None:
                    metadata["remainingItemCount"] = left
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
        bodies = map(self.store.parse, texts)
        present = {key: value for key, value in metadata.items() if value != ""}
        if negotiated.shape == "Table":
            included = request.query.get("includeObject", "")
            shown = table(definition, bodies, present, self.objects.now, included=included, version=negotiated.version)
        else:
            shown = metadata_list(bodies, present, negotiated.version)
        return Response.of_json(200, shown)

    def _rows(
        self, plural: str, namespace: str | None, page: _Page, limit: int, keep: Predicate | None, name: str
    ) -> tuple[list[tuple[Place, str]], bool]:
        """The objects of a page, and whether more follow. name: of the only object that can be in it, "" for any"""
        if name and namespace is not None:
            text = self.store.text(plural, namespace, name)
            is_kept = text is not None and (namespace, name) > page.after and (not keep or keep(self.store.parse(text)))
            return [((namespace, name), text)] if text and is_kept else [], False
        if not limit:
            rows = self._texts(plural, namespace, page, page.after, -1)
            return [row for row in rows if keep is None or keep(self.store.parse(row[1]))], False
        kept: list[tuple[Place, str]] = []
        after, step = page.after, limit + 1 if keep is None else BATCH
        while len(kept) <= limit:
            rows = self._texts(plural, namespace, page, after, step)
            kept += [row for row in rows if keep is None or keep(self.store.parse(row[1]))]
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

    def _left(self, plural: str, namespace: str | None, page: _Page) -> int:
        """How many objects there are from the beginning of a page on."""
        if page.left is not None:
            return page.left
        if page.version is None:
            return self.store.count(plural, namespace, page.after)
        return self.store.count_at(page.version, plural, namespace, page.after)

    def _page(self, request: Request, scope: str) -> _Page:
        """The page and version that a request asks for. scope: of the list"""
        token, version = request.query.get("continue", ""), request.query.get("resourceVersion", "")
        match = request.query.get("resourceVersionMatch", "")
        if token:
            if version not in ("", "0"):
                problem = "specifying resource version is not allowed when using continue"
                raise Refusal(400, "BadRequest", problem)
            return self._continued(token, scope)
        since = version_asked(request, 400, INVALID_VERSION)
        self._check_reached(since)
        return _Page(version=since) if match == "Exact" else _Page()

    def _continued(self, token: str, scope: str) -> _Page:
        try:
            text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
            namespace, name, version, created, *counted = json.loads(text)
            left = int(counted[0]) if counted[1:] == [scope] else None
            page = _Page((str(namespace), str(name)), int(version), left)
            age = self.objects.now - float(created)
            if not 0 <= int(version) < INT64:
                raise ValueError("no version")
        except (ValueError, TypeError, OverflowError, binascii.Error) as error:
            problem = f"invalid continue token: continue key is not valid: {error}"
            raise Refusal(400, "BadRequest", problem) from None
        if age > PAGE_LIFETIME:
            raise _expired(page.after, self.store.version(), self.objects.now)
        return page

    def _check_reached(self, version: int) -> None:
        """Refuse a version that the store has not reached yet."""
        if version and version > (current := self.store.version()):
            problem = f"Timeout: Too large resource version: {version}, current: {current}"
            causes = (Cause("ResourceVersionTooLarge", "", "Too large resource version"),)
            raise Refusal(504, "Timeout", problem, causes=causes, retry_after=1)


def _scope(definition: Definition, namespace: str | None) -> str:
    """What a list covers, without its selectors."""
    return f"{definition.plural}/{'*' if namespace is None else namespace}"


def _page_token(last: Place, version: int, now: float, counted: tuple[()] | tuple[int, str] = ()) -> str:
    """A continue token. counted: the number of objects that are left, and the scope of the list they are left in"""
    return base64.urlsafe_b64encode(json.dumps([*last, version, now, *counted]).encode()).decode().rstrip("=")


def _expired(after: Place, version: int, now: float) -> Refusal:
    """The refusal of an expired continue token. It has a new token, which continues at the current version."""
    message = (
        "The provided continue parameter is too old to display a consistent list result. You can start a new list "
        "without the continue parameter, or use the continue token in this response to retrieve the remainder of the "
        "results. Continuing with the provided token results in an inconsistent list - objects that were created, "
        "modified, or deleted between the time the first chunk was returned and now may show up in the list."
    )
    return Refusal(410, "Expired", message, token=_page_token(after, version, now))
