"""Content negotiation: whether the caller wants objects, a table or only metadata, and JSON or YAML."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rsspot.simulator.apiserver.messages import Refusal, Request, Response
from rsspot.simulator.apiserver.parsing import ACCEPTED, JSON, YAML

METADATA, METADATA_LIST = "PartialObjectMetadata", "PartialObjectMetadataList"
SHAPES = ("", "Table", METADATA, METADATA_LIST)
TRUE = ("1", "t", "T", "true", "True", "TRUE")
META_VERSIONS = ("v1", "v1beta1")


@dataclass(frozen=True)
class Negotiated:
    """The negotiated format. media: JSON or YAML · shape: one of SHAPES, "" for plain objects"""

    media: str = JSON
    shape: str = ""
    version: str = "v1"


def wanted(request: Request, *, streamed: bool = False) -> Negotiated:
    """The first supported format in the Accept header. Raises Refusal if there is none."""
    for part in (request.headers.get("accept") or "*/*").split(","):
        media, *parameters = (text.strip() for text in part.split(";"))
        options = dict(text.split("=", 1) for text in parameters if "=" in text)
        shape = options.get("as", "")
        if shape and options.get("g") != "meta.k8s.io":
            continue
        if media in ("*/*", "application/*", JSON, "application/yaml", "text/yaml") and shape in SHAPES:
            notation = YAML if "yaml" in media else JSON
            if not (streamed and notation == YAML) and options.get("v", "v1") in META_VERSIONS:
                return Negotiated(notation, shape, options.get("v", "v1"))
    types = ("application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch")
    offered = ", ".join(types if streamed else ACCEPTED)
    raise Refusal(406, "NotAcceptable", f"only the following media types are accepted: {offered}")


def written(request: Request, response: Response) -> Response:
    """Convert a JSON response to YAML or indented JSON if the caller asks for it."""
    if response.content_type != JSON or response.stream is not None:
        return response
    if _prefers_yaml(request):
        import json

        import yaml

        dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
        body = yaml.dump(json.loads(response.body), Dumper=dumper, default_flow_style=False, allow_unicode=True)
        return replace(response, body=body.encode(), content_type=YAML)
    if request.query.get("pretty", "") in TRUE:
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
