"""The manifests of examples/kubernetes, held against the types of the Kubernetes API and against our own options."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client as api

from rsspot.cli.app import run
from rsspot.settings import ALIASES

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "kubernetes"
FILES = sorted(FOLDER.glob("*.yaml"))
PLAIN = {"str": str, "int": int, "bool": bool, "float": (int, float), "datetime": str}
KINDS = {
    ("apps/v1", "Deployment"): "V1Deployment",
    ("batch/v1", "CronJob"): "V1CronJob",
    ("networking.k8s.io/v1", "NetworkPolicy"): "V1NetworkPolicy",
    ("v1", "Secret"): "V1Secret",
    ("v1", "Service"): "V1Service",
    ("v1", "ServiceAccount"): "V1ServiceAccount",
}


def documents() -> Iterator[tuple[str, dict[str, Any]]]:
    for file in FILES:
        for document in yaml.safe_load_all(file.read_text()):
            yield f"{file.name}:{document['kind']}", document


DOCUMENTS = dict(documents())


def faults(type_name: str, value: Any, place: str) -> Iterator[str]:
    """What of a value the API would refuse: fields that it does not know, and values of another type."""
    if found := re.fullmatch(r"[Ll]ist\[(.+)\]", type_name):
        if not isinstance(value, list):
            yield f"{place} is no list"
            return
        for number, each in enumerate(value):
            yield from faults(found[1], each, f"{place}[{number}]")
    elif found := re.fullmatch(r"[Dd]ict[\[(](.+), (.+)[\])]", type_name):
        if not isinstance(value, dict):
            yield f"{place} is no mapping"
            return
        for key, each in value.items():
            yield from faults(found[2], each, f"{place}.{key}")
    elif type_name in PLAIN:
        if not isinstance(value, PLAIN[type_name]) or (isinstance(value, bool) and type_name != "bool"):
            yield f"{place} is {value!r}, and no {type_name}"
    elif type_name != "object":
        yield from _faults_of_object(getattr(api, type_name), value, place)


def _faults_of_object(model: Any, value: Any, place: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{place} is no mapping"
        return
    fields = {wire: name for name, wire in model.attribute_map.items()}
    for key, each in value.items():
        if key not in fields:
            yield f"{place} has no field {key}"
            continue
        yield from faults(model.openapi_types[fields[key]], each, f"{place}.{key}")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_api_takes_it(name: str) -> None:
    """By the types that the API itself publishes."""
    document = DOCUMENTS[name]
    model = KINDS[document["apiVersion"], document["kind"]]
    assert list(faults(model, document, document["kind"])) == []


def test_what_the_api_would_refuse_is_found() -> None:
    """The check itself, on mistakes of the usual kinds."""
    bad = {"spec": {"replicas": "2", "selectors": {}, "template": {"spec": {"containers": {}}}}, "metadata": "x"}
    assert list(faults("V1Deployment", bad, "it")) == [
        "it.spec.replicas is '2', and no int",
        "it.spec has no field selectors",
        "it.spec.template.spec.containers is no list",
        "it.metadata is no mapping",
    ]


def pods() -> dict[str, dict[str, Any]]:
    """The pod of each workload."""
    found = {}
    for name, document in DOCUMENTS.items():
        spec = document.get("spec", {})
        template = spec.get("jobTemplate", {}).get("spec", spec).get("template") if isinstance(spec, dict) else None
        if template:
            found[name] = template
    return found


@pytest.mark.parametrize("name", pods())
def test_pods_have_no_rights(name: str) -> None:
    """As the restricted profile of Pod Security Standards asks, and with a root that nothing can write to."""
    spec = pods()[name]["spec"]
    assert spec["automountServiceAccountToken"] is False
    context = spec["securityContext"]
    assert context["runAsNonRoot"] is True and context["runAsUser"] > 10_000
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in spec["containers"]:
        rights = container["securityContext"]
        assert rights["allowPrivilegeEscalation"] is False and rights["readOnlyRootFilesystem"] is True
        assert rights["capabilities"] == {"drop": ["ALL"]}
        assert {"/home/rsspot", "/tmp"} <= {mount["mountPath"] for mount in container["volumeMounts"]}
        assert "memory" in container["resources"]["limits"]
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in spec["volumes"]}


@pytest.mark.parametrize("name", pods())
def test_the_command_line_is_one_of_ours(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Its options are known. That it is refused for the place it would work on shows that they were understood."""
    for container in pods()[name]["spec"]["containers"]:
        run([*container["args"], "--no-such-option"])
        told = "".join(capsys.readouterr())
        assert "--no-such-option" in told, shlex.join(container["args"])


def test_selectors_find_their_pods() -> None:
    labels = [pod["metadata"]["labels"] for pod in pods().values()]
    for name, document in DOCUMENTS.items():
        spec = document.get("spec", {})
        selector = spec.get("selector") or spec.get("podSelector") if document["kind"] != "Secret" else None
        if selector:
            wanted = selector.get("matchLabels", selector)
            assert any(wanted.items() <= each.items() for each in labels), name


def test_every_variable_of_the_secret_is_a_setting() -> None:
    known = {"RSSPOT_QUEUE_URL", *(variable for variables in ALIASES.values() for variable in variables)}
    assert set(DOCUMENTS["secret.example.yaml:Secret"]["stringData"]) <= known


def test_every_file_is_in_the_readme() -> None:
    readme = (FOLDER / "README.md").read_text()
    assert [file.name for file in FILES if f"`{file.name}`" not in readme] == []


def test_the_image_installs_pins_and_is_nobody() -> None:
    """What a build would show cannot be shown without one; the lines that matter are there."""
    lines = (ROOT / "Dockerfile").read_text()
    assert "--require-hashes -r image.txt" in lines
    assert re.search(r"^USER 10001:10001$", lines, re.MULTILINE)
    pins = (ROOT / "requirements" / "image.txt").read_text()
    for package in ("psycopg==", "prometheus-client==", "procrastinate=="):
        assert package in pins, package
    assert Path(ROOT / ".dockerignore").read_text().splitlines()[0] == ".git"
