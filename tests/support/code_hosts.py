"""A stand-in of the REST APIs of GitHub and GitLab: one repository, its pull requests, comments, issues and artifacts.

It answers as the documentation of both says, in the process or on loopback. Requests are kept, with their headers.
"""

from __future__ import annotations

import io
import json
import re
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from rsspot.wire import httpx

TOKEN = "ghs_canary7Token9of8the5review1API"
REPOSITORY = "octo/infra"
PROJECT = 4711
BOT = {"login": "github-actions[bot]", "id": 41, "type": "Bot"}
PERSON = {"login": "mallory", "id": 66, "type": "User"}
LONGEST = 65_536


@dataclass
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class Answered:
    """A response. body: as JSON, unless it is bytes"""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


Script = Callable[[Asked], Answered | None]


class CodeHosts:
    """Both APIs over the same reviews. scripts: asked first; None passes on · user: of the token; None for a job's"""

    def __init__(self) -> None:
        self.url = "http://127.0.0.1:1"
        self.asked: list[Asked] = []
        self.scripts: list[Script] = []
        self.user: dict[str, Any] | None = None
        self.comments: dict[int, list[dict[str, Any]]] = {7: []}
        self.issues: list[dict[str, Any]] = []
        self.pulls: list[dict[str, Any]] = []
        self.artifacts: list[dict[str, Any]] = []
        self.files: dict[int, bytes] = {}
        self._ids = iter(range(1, 100_000))

    @property
    def github_url(self) -> str:
        return f"{self.url}/github"

    @property
    def gitlab_url(self) -> str:
        return f"{self.url}/gitlab/api/v4"

    def script(self, pattern: str, *answers: Answered, served: bool = False) -> None:
        """Answer requests such as `POST .*/comments$` so, in turn. served: what was asked is done all the same"""
        waiting = list(answers)

        def scripted(asked: Asked) -> Answered | None:
            if not waiting or not re.search(pattern, f"{asked.method} {asked.path}"):
                return None
            if served:
                self._route(asked)
            return waiting.pop(0)

        self.scripts.append(scripted)

    def sent(self, pattern: str = ".") -> list[str]:
        """The requests so far that match a pattern, as `GET /path`."""
        lines = (f"{each.method} {each.path}" for each in self.asked)
        return [line for line in lines if re.search(pattern, line)]

    def say(self, number: int, body: str, author: dict[str, Any] = BOT) -> dict[str, Any]:
        """Somebody writes a comment."""
        post = self._post(body, author)
        self.comments[number].append(post)
        return post

    def keep(self, name: str, content: bytes, *, sha: str, fork: bool = False, **more: Any) -> int:
        """A job keeps plan.json as an artifact."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as opened:
            opened.writestr("plan.json", content)
        number = next(self._ids)
        run = {"id": number, "repository_id": PROJECT, "head_repository_id": 9 if fork else PROJECT, "head_sha": sha}
        self.artifacts.append({"id": number, "name": name, "expired": False, "workflow_run": run, **more})
        self.files[number] = archive.getvalue()
        return number

    def handle(self, asked: Asked) -> Answered:
        """Answer a request."""
        self.asked.append(asked)
        for script in self.scripts:
            if (answer := script(asked)) is not None:
                return answer
        return self._route(asked)

    def _route(self, asked: Asked) -> Answered:
        if asked.path.startswith("/storage/"):
            # A signed address of a storage refuses a second credential.
            refused = "authorization" in asked.headers
            return Answered(400) if refused else Answered(200, self.files[int(asked.path.rpartition("/")[2])])
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return Answered(401, {"message": "Bad credentials"})
        api, _, rest = asked.path.lstrip("/").partition("/")
        return self._github(asked, f"/{rest}") if api == "github" else self._gitlab(asked, rest.removeprefix("api/v4"))

    def _github(self, asked: Asked, path: str) -> Answered:
        if path == "/user":
            return Answered(200, self.user) if self.user else _refused("Resource not accessible by integration", 403)
        base, _, rest = path.partition(f"/repos/{REPOSITORY}/")
        if base or not rest:
            return _refused("Not Found", 404)
        match [asked.method, *rest.split("/")]:
            case ["GET", "issues", number, "comments"] if int(number) in self.comments:
                return self._page(asked, self.comments[int(number)])
            case ["POST", "issues", number, "comments"] if int(number) in self.comments:
                return _too_long(asked) or Answered(201, self.say(int(number), asked.body["body"], self.user or BOT))
            case ["PATCH", "issues", "comments", number]:
                return _too_long(asked) or self._edit(self._all_comments(), "id", number, asked)
            case ["GET", "issues"]:
                # Pull requests are issues, too.
                pulls = [{**self._post("", PERSON), "number": 7, "state": "open", "pull_request": {}}]
                return self._page(asked, [each for each in [*pulls, *self.issues] if each["state"] == "open"])
            case ["POST", "issues"]:
                return Answered(201, self._issue(asked.body["title"], asked.body["body"]))
            case ["PATCH", "issues", number]:
                return self._edit(self.issues, "number", number, asked)
            case ["GET", "commits", commit, "pulls"]:
                return self._page(asked, [each for each in self.pulls if commit in _commits(each)])
            case ["GET", "actions", "artifacts"]:
                named = [each for each in self.artifacts if each["name"] == asked.query.get("name")]
                page = self._page(asked, named)
                return Answered(200, {"total_count": len(named), "artifacts": page.body}, page.headers)
            case ["GET", "actions", "artifacts", number, "zip"] if int(number) in self.files:
                return Answered(302, None, {"Location": f"{self.url}/storage/{number}"})
        return _refused("Not Found", 404)

    def _gitlab(self, asked: Asked, path: str) -> Answered:
        if path == "/user":
            return Answered(200, self.user or BOT)
        if path == f"/projects/{PROJECT}":
            return Answered(200, {"id": PROJECT})
        base, _, rest = path.partition(f"/projects/{PROJECT}/")
        match [asked.method, *(() if base else rest.split("/"))]:
            case ["GET", "merge_requests", number, "notes"] if int(number) in self.comments:
                return self._page(asked, self.comments[int(number)])
            case ["POST", "merge_requests", number, "notes"] if int(number) in self.comments:
                return Answered(201, self.say(int(number), asked.body["body"], self.user or BOT))
            case ["PUT", "merge_requests", number, "notes", note] if int(number) in self.comments:
                return self._edit(self.comments[int(number)], "id", note, asked)
            case ["GET", "issues"]:
                return self._page(asked, [each for each in self.issues if each["state"] == "open"])
            case ["POST", "issues"]:
                return Answered(201, self._issue(asked.body["title"], asked.body["description"]))
            case ["PUT", "issues", number]:
                return self._edit(self.issues, "iid", number, asked)
            case ["GET", "repository", "commits", commit, "merge_requests"]:
                return self._page(asked, [_merge_request(each) for each in self.pulls if commit in _commits(each)])
            case ["GET", "merge_requests", _, "pipelines"]:
                return self._page(asked, [self._pipeline(each) for each in self.artifacts])
            case ["GET", "pipelines", number, "jobs"]:
                jobs = [{**each, "artifacts_file": {}} for each in self.artifacts if each["id"] == int(number)]
                return self._page(asked, [{**each, "artifacts_file": {"size": 1}} for each in jobs])
            case ["GET", "jobs", number, "artifacts", "plan.json"] if int(number) in self.files:
                with zipfile.ZipFile(io.BytesIO(self.files[int(number)])) as archive:
                    return Answered(200, archive.read("plan.json"))
        return _refused("404 Project Not Found", 404)

    def _pipeline(self, artifact: dict[str, Any]) -> dict[str, Any]:
        run = artifact["workflow_run"]
        return {"id": artifact["id"], "sha": run["head_sha"], "project_id": run["head_repository_id"]}

    def _page(self, asked: Asked, items: list[dict[str, Any]]) -> Answered:
        size, number = min(100, int(asked.query.get("per_page", 30))), int(asked.query.get("page", 1))
        rest = items[(number - 1) * size :]
        headers = {}
        if len(rest) > size:
            # The name by which a server calls itself need not be the one that it was asked by.
            headers["Link"] = f'<https://elsewhere.example{asked.path}?per_page={size}&page={number + 1}>; rel="next"'
        return Answered(200, rest[:size], headers)

    def _post(self, body: str, author: dict[str, Any]) -> dict[str, Any]:
        number = next(self._ids)
        link = f"https://code.example/{number}"
        return {"id": number, "body": body, "html_url": link, "user": author, "author": author}

    def _issue(self, title: str, text: str) -> dict[str, Any]:
        number = 100 + len(self.issues)
        post = {**self._post(text, self.user or BOT), "number": number, "iid": number, "title": title, "state": "open"}
        self.issues.append({**post, "description": text, "web_url": post["html_url"]})
        return self.issues[-1]

    def _all_comments(self) -> list[dict[str, Any]]:
        return [each for posts in self.comments.values() for each in posts]

    def _edit(self, posts: list[dict[str, Any]], key: str, number: str, asked: Asked) -> Answered:
        for post in posts:
            if str(post[key]) == number:
                text = asked.body.get("body", asked.body.get("description"))
                closed = asked.body.get("state") == "closed" or asked.body.get("state_event") == "close"
                post |= {"body": text, "description": text} | ({"state": "closed"} if closed else {})
                return Answered(200, post)
        return _refused("Not Found", 404)


def _refused(message: str, status: int) -> Answered:
    return Answered(status, {"message": message, "documentation_url": "https://docs.example"})


def _too_long(asked: Asked) -> Answered | None:
    if len(asked.body["body"]) <= LONGEST:
        return None
    errors = [{"resource": "IssueComment", "code": "unprocessable", "message": "Body is too long (maximum is 65536)"}]
    return Answered(422, {"message": "Validation Failed", "errors": errors})


def _commits(pull: dict[str, Any]) -> tuple[str, ...]:
    return (pull["merge_commit_sha"], pull["head"]["sha"])


def _merge_request(pull: dict[str, Any]) -> dict[str, Any]:
    return {"iid": pull["number"], "state": "merged" if pull["merged_at"] else "opened", "sha": pull["head"]["sha"]}


class InProcess(httpx.AsyncBaseTransport):
    """A transport to the stand-in without a connection."""

    def __init__(self, hosts: CodeHosts) -> None:
        self._hosts = hosts

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = request.content
        parts = urlsplit(str(request.url))
        answer = self._hosts.handle(_asked(request.method, parts.path, parts.query, dict(request.headers), body))
        return httpx.Response(answer.status, headers=answer.headers, content=_content(answer), request=request)


def _asked(method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> Asked:
    asked = {name: values[-1] for name, values in parse_qs(query).items()}
    named = {name.lower(): value for name, value in headers.items()}
    return Asked(method, unquote(path), asked, named, json.loads(body) if body else None)


def _content(answer: Answered) -> bytes:
    return answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()


@contextmanager
def serving(hosts: CodeHosts) -> Iterator[CodeHosts]:
    """Both APIs on loopback while the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            answer = hosts.handle(_asked(self.command, parts.path, parts.query, dict(self.headers.items()), body))
            content = _content(answer)
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(content)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_PUT = _answer  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hosts.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield hosts
    finally:
        server.shutdown()
        server.server_close()
