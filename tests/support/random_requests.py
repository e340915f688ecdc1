"""Conversations of random requests: well-formed ones, and ones that are wrong in one or two places.

The requests depend on the seed only. A real API server has answered those of some seeds; see `conversation`.
"""

import random

VERSION = "ngpc.rxt.io/v1"
KINDS = {
    "spotnodepools": (
        "SpotNodePool",
        {"serverClass": "c", "cloudSpace": "prod", "desired": 1, "bidPrice": "0.02"},
        ("desired", "bidPrice", "autoscaling", "customLabels", "customTaints", "odd"),
    ),
    "cloudspaces": (
        "CloudSpace",
        {"region": "r1", "kubernetesVersion": "1.31.1"},
        ("region", "cni", "HAControlPlane", "webhook", "bidRequests", "odd"),
    ),
}
"""Plural -> kind, a valid spec, and the fields that are set to anything."""
NAMES = ("a", "b", "c")
METADATA = (
    "name",
    "namespace",
    "labels",
    "annotations",
    "finalizers",
    "ownerReferences",
    "resourceVersion",
    "uid",
    "generation",
    "creationTimestamp",
)
ANYTHING = (
    None,
    True,
    0,
    -1,
    7,
    1.5,
    1 << 63,
    "",
    "x",
    "0",
    "0.02",
    "a b",
    "calico",
    [],
    ["x"],
    [7],
    [{}],
    [{"key": "k", "effect": "NoSchedule"}],
    {},
    {"a": "b"},
    {"a": 1},
    {"enabled": False, "minNodes": 0},
)
QUERIES = {
    "POST": ("dryRun=Some", "fieldValidation=Strict", "fieldValidation=odd", "fieldManager=m%00"),
    "PUT": ("dryRun=All", "dryRun=", "fieldValidation=Ignore", "fieldManager=me"),
    "PATCH": ("dryRun=All", "fieldValidation=odd", "fieldManager=me", "force=true"),
    "DELETE": (
        "dryRun=All",
        "gracePeriodSeconds=abc",
        "gracePeriodSeconds=5",
        "propagationPolicy=Orphan",
        "propagationPolicy=odd",
        "orphanDependents=true",
    ),
    "GET": (
        "limit=1",
        "limit=abc",
        "limit=-1",
        "labelSelector=a",
        "labelSelector=a%3Db%3Dc",
        "fieldSelector=metadata.name%3Da",
        "fieldSelector=spec.desired%3D1",
        "resourceVersion=abc",
        "resourceVersionMatch=Exact",
        "sendInitialEvents=true",
        "continue=rubbish",
    ),
}
OPERATIONS = ("add", "add", "replace", "replace", "remove", "test", "copy", "move", "odd")
MERGE, JSON_PATCH = "application/merge-patch+json", "application/json-patch+json"
ACCEPTED = (
    "application/json",
    "application/yaml",
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
)
REFUSED = ("application/cbor", "text/html")


def random_steps(seed, count=100):
    """The requests of a conversation, in the form of the files of conversations."""
    maker = _Maker(random.Random(seed))
    return [maker.step() for _ in range(count)]


class _Maker:
    """Makes requests. chance: what they are drawn from"""

    def __init__(self, chance):
        self.chance = chance

    def step(self):
        make = self.chance.choice(
            (self._post, self._post, self._put, self._merge, self._operate, self._get, self._delete)
        )
        step = make(self.chance.choice(list(KINDS)))
        step["alike"] = "refusal"
        if step["ask"].startswith("GET") and self.chance.random() < 0.3:
            step["accept"] = self.chance.choice(ACCEPTED + REFUSED)
        return step

    def _post(self, plural):
        return {"ask": self._asked("POST", plural), "body": self._body(plural, {})}

    def _put(self, plural):
        version = self.chance.choice(("${version}", "${version}", "${version}", "1", "0", "x"))
        name = self.chance.choice(NAMES)
        body = self._body(plural, {"resourceVersion": version}, name)
        return {"ask": self._asked("PUT", f"{plural}/{name}"), "body": body}

    def _merge(self, plural):
        body = {}
        for _ in range(self.chance.randint(1, 2)):
            self._spoil(plural, body)
        return self._patch(plural, MERGE, body)

    def _operate(self, plural):
        return self._patch(plural, JSON_PATCH, [self._operation(plural) for _ in range(self.chance.randint(1, 2))])

    def _patch(self, plural, content_type, body):
        ask = self._asked("PATCH", f"{plural}/{self.chance.choice(NAMES)}")
        return {"ask": ask, "content_type": content_type, "body": body}

    def _get(self, plural):
        path = self.chance.choice((plural, plural, f"{plural}/{self.chance.choice(NAMES)}", f"{plural}//x"))
        return {"ask": self._asked("GET", path, often=0.7)}

    def _delete(self, plural):
        names = [plural] if self.chance.random() < 0.05 else [f"{plural}/{name}" for name in NAMES]
        return {"ask": self._asked("DELETE", self.chance.choice(names), often=0.5)}

    def _asked(self, method, path, often=0.2):
        query = self.chance.choice(QUERIES[method]) if self.chance.random() < often else ""
        return f"{method} {path}" + (f"?{query}" if query else "")

    def _body(self, plural, metadata, name=None):
        kind, spec, _ = KINDS[plural]
        named = {"name": name or self.chance.choice(NAMES), **metadata}
        body = {"apiVersion": VERSION, "kind": kind, "metadata": named, "spec": dict(spec)}
        if self.chance.random() < 0.4:
            self._spoil(plural, body)
        return body

    def _spoil(self, plural, body):
        """Set one field to anything."""
        value = self.chance.choice(ANYTHING)
        place = self.chance.random()
        if place < 0.05:
            body[self.chance.choice(("kind", "apiVersion", "metadata", "spec", "status", "odd"))] = value
            return
        part, field = self._field(plural)
        inner = body.setdefault(part, {})
        if isinstance(inner, dict):
            inner[field] = value

    def _field(self, plural):
        part = self.chance.choice(("metadata", "spec"))
        return part, self.chance.choice(METADATA if part == "metadata" else KINDS[plural][2])

    def _path(self, plural):
        part, field = self._field(plural)
        return f"/{part}/{field}" + self.chance.choice(("", "", "", "/a", "/0", "/-", "/a/b"))

    def _operation(self, plural):
        operation = {"op": self.chance.choice(OPERATIONS), "path": self._path(plural)}
        if operation["op"] in ("copy", "move"):
            return {**operation, "from": self._path(plural)}
        return operation if operation["op"] == "remove" else {**operation, "value": self.chance.choice(ANYTHING)}
