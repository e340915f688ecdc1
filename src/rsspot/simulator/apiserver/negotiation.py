"""Which shape of an answer a caller asks for: objects, tables or metadata alone, as JSON or as YAML."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rsspot.simulator.apiserver.messages import Refusal, Request, Response
from rsspot.simulator.apiserver.parsing import ACCEPTED, JSON, YAML

SHAPES = ("", "Table", "PartialObjectMetadata", "PartialObjectMetadataList")
META_VERSIONS = ("v1", "v1beta1")


@dataclass(frozen=True)
class Negotiated:
    """media: JSON or YAML · shape: one of SHAPES, "" for the object as it is"""

    media: str = JSON
    shape: str = ""
    version: str = "v1"


def wanted(request: Request, *, streamed: bool = False) -> Negotiated:
    """The first acceptable shape of those that a request lists. Raises Refusal when there is none."""
    for part in (request.headers.get("accept") or "*/*").split(","):
        media, *parameters = (each.strip() for each in part.split(";"))
        named = dict(each.split("=", 1) for each in parameters if "=" in each)
        shape = named.get("as", "")
        if shape and named.get("g") != "meta.k8s.io":
            continue
        if media in ("*/*", "application/*", JSON, "application/yaml", "text/yaml") and shape in SHAPES:
            written = YAML if "yaml" in media else JSON
            if not (streamed and written == YAML) and named.get("v", "v1") in META_VERSIONS:
                return Negotiated(written, shape, named.get("v", "v1"))
    types = ("application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch")
    offered = ", ".join(types if streamed else ACCEPTED)
    raise Refusal(406, "NotAcceptable", f"only the following media types are accepted: {offered}")


def written(request: Request, response: Response) -> Response:
    """A JSON answer in the caller's notation: YAML, or indented JSON."""
    if response.content_type != JSON or response.stream is not None:
        return response
    if _prefers_yaml(request):
        import json

        import yaml

        dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
        body = yaml.dump(json.loads(response.body), Dumper=dumper, default_flow_style=False, allow_unicode=True)
        return replace(response, body=body.encode(), content_type=YAML)
    if request.flag("pretty"):
        import json

        body = json.dumps(json.loads(response.body), indent=2) + "\n"
        return replace(response, body=body.encode())
    return response


def _prefers_yaml(request: Request) -> bool:
    for part in request.headers.get("accept", "").split(","):
        media = part.split(";")[0].strip()
        if media in ("*/*", "application/*", JSON):
            return False
        if media in (YAML, "text/yaml"):
            return True
    return False
