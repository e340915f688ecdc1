"""Conversations with an API server: the requests in order, and how answers of two servers are made comparable."""

import hashlib
import json
import re
from pathlib import Path

import yaml

from support.random_requests import random_steps

FOLDER = Path(__file__).parents[1] / "simulator" / "conversations"
DEFINITIONS = Path(__file__).parents[2] / "src" / "rsspot" / "simulator" / "crds"
INSTALLED = FOLDER / "definitions.json"
"""Digests of the definitions that were installed in the recorded server."""
NAMESPACE = "default"
GROUP = "/apis/ngpc.rxt.io/v1"
RECORDED_SEEDS = (1, 2, 3)
"""Seeds of the random conversations that were held with a real API server."""
_RANDOM = "random_"
_REFERENCE = re.compile(r"\$\{(\d+)((?:\.\w+)+)\}")
_NEWEST = "${version}"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_VERSION = re.compile(r'(record \(|current: |resourceVersion\\*":\\*")\d+')
_AGE = re.compile(r"\d+s")
_MADE_UP = "11111111-1111-1111-1111-111111111111"


def subjects():
    """The names of the conversations: those in files, and some random ones."""
    return sorted(file.stem for file in FOLDER.glob("*.yaml")) + [f"{_RANDOM}{seed}" for seed in RECORDED_SEEDS]


def digests():
    """Digests of the current definitions, by file."""
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(DEFINITIONS.glob("*.yaml"))}


def steps(subject):
    """The requests of a conversation, in order."""
    if subject.startswith(_RANDOM):
        return random_steps(int(subject.removeprefix(_RANDOM)))
    return yaml.safe_load((FOLDER / f"{subject}.yaml").read_text())


def recorded(subject):
    """The recorded answers of a real API server."""
    return json.loads((FOLDER / f"{subject}.json").read_text())


def request(step, answers):
    """(method, target, headers, body) of a step, given the raw answers to earlier steps."""

    def value(match):
        part = answers[int(match[1])]["body"]
        for key in match[2].strip(".").split("."):
            part = part[key]
        return str(part)

    method, _, rest = _REFERENCE.sub(value, step["ask"]).partition(" ")
    plural, _, query = rest.partition("?")
    if plural.startswith("/"):
        path = plural
    elif plural.endswith("!"):
        path = f"{GROUP}/{plural[:-1]}"
    else:
        path = f"{GROUP}/namespaces/{NAMESPACE}/{plural}"
    body = step.get("text", json.dumps(step["body"]) if "body" in step else "")
    body = body.replace(_NEWEST, _newest(answers)) + " " * step.get("padding", 0)
    headers = {"Content-Type": step.get("content_type", "application/json"), "User-Agent": "talker/1.0 (linux)"}
    headers["Accept"] = step.get("accept", "application/json")
    target = path + (f"?{query}" if query else "")
    return method, target, headers, _REFERENCE.sub(value, body).encode()


def _newest(answers):
    """The resourceVersion in the latest answer that is an object."""
    bodies = (each["body"] for each in reversed(answers))
    found = (body.get("metadata", {}) for body in bodies if isinstance(body, dict))
    return next((metadata["resourceVersion"] for metadata in found if {"uid", "resourceVersion"} <= set(metadata)), "")


def answer(status, headers, body):
    """An answer as JSON data. The body is a parsed document, the list of a watch's events, or text."""
    kind = headers.get("content-type", "")
    warnings = headers.get("warning")
    text = body.decode(errors="replace")
    return {
        "status": status,
        "content_type": kind,
        **({"warning": warnings} if warnings else {}),
        "body": _parsed(kind, text),
    }


def _parsed(kind, text):
    if "yaml" in kind:
        return yaml.safe_load(text)
    if "json" not in kind:
        return text
    try:
        return json.loads(text)
    except ValueError:
        lines = text.splitlines()
        return [json.loads(line) for line in lines] if len(lines) > 1 else text


def comparable(answers):
    """Answers with uids, versions, times and page tokens replaced by placeholders."""
    versions = sorted({int(each) for each in _values(answers, "resourceVersion") if each.isdigit() and int(each) > 0})
    ranks = {str(version): f"<version {rank}>" for rank, version in enumerate(versions)}
    uids = {}

    def masked(value, key=""):
        if isinstance(value, dict) and value.get("kind") == "Status" and "causes" in value.get("details", {}):
            value = _in_order(value)
        if isinstance(value, dict):
            return {k: masked(v, k) for k, v in value.items()}
        if isinstance(value, list):
            return [masked(each, key) for each in value]
        if not isinstance(value, str):
            return value
        if key == "resourceVersion":
            return ranks.get(value, value)
        if key == "continue":
            return "<token>" if value else ""
        if key == "description":
            # The simulator has its own descriptions.
            return "<description>"
        if key == "cells" and _AGE.fullmatch(value):
            return "<age>"
        if key == "name" and value.startswith("made-"):
            return "made-<suffix>"
        text = _UID.sub(lambda m: m[0] if m[0] == _MADE_UP else uids.setdefault(m[0], f"<uid {len(uids)}>"), value)
        text = text.replace("Key: /real/", "Key: /registry/")
        return _VERSION.sub(r"\1<version>", _TIME.sub("<time>", text))

    return masked(answers)


def _in_order(status):
    """A Status with sorted causes; a real server returns them in any order."""
    causes = sorted(status["details"]["causes"], key=lambda cause: sorted(cause.items()))
    message = status["message"]
    if message.endswith("]"):
        head, _, rest = message.partition("[")
        message = head + "[" + ", ".join(sorted(re.split(r", (?=[\w.<>\[\]]+: )", rest[:-1]))) + "]"
    return {**status, "message": message, "details": {**status["details"], "causes": causes}}


def _values(value, wanted):
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == wanted and isinstance(inner, str):
                yield inner
            else:
                yield from _values(inner, wanted)
    elif isinstance(value, list):
        for inner in value:
            yield from _values(inner, wanted)
