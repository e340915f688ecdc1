"""Labels, annotations and taints: the syntax that Kubernetes prescribes. Source: its object metadata docs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rsspot.models.authoring import rule

LONGEST_NAME = 63
LONGEST_PREFIX = 253
MOST_ANNOTATION_BYTES = 256 * 1024
RESERVED = ("kubernetes.io", "k8s.io")
"""Domains whose labels only Kubernetes sets on nodes, apart from the ones in ALLOWED."""
ALLOWED_DOMAINS = ("node.kubernetes.io", "kubelet.kubernetes.io")
ALLOWED = frozenset(
    {
        "kubernetes.io/arch",
        "kubernetes.io/hostname",
        "kubernetes.io/os",
        "topology.kubernetes.io/region",
        "topology.kubernetes.io/zone",
        "node.kubernetes.io/instance-type",
    }
)
"""What a kubelet may set on its own node. Source: the NodeRestriction admission plugin."""
_SYNTAX = "at most 63 letters, digits, '-', '_' and '.', beginning and ending with a letter or digit"
_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_PREFIX = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


def check_key(key: str) -> None:
    """Raises ValueError for what cannot be the key of a label, an annotation or a taint."""
    prefix, slash, name = key.rpartition("/")
    if len(name) > LONGEST_NAME or not _NAME.fullmatch(name):
        raise ValueError(f"{key!r} is not a key: after an optional domain and '/', {_SYNTAX}")
    if slash and (len(prefix) > LONGEST_PREFIX or not _PREFIX.fullmatch(prefix)):
        raise ValueError(f"{key!r} is not a key: the part before '/' must be a domain such as example.com")


def check_value(value: str) -> None:
    """Raises ValueError for what cannot be the value of a label or a taint."""
    if value and (len(value) > LONGEST_NAME or not _NAME.fullmatch(value)):
        raise ValueError(f"{value!r} is not a value: it has {_SYNTAX}")


def check_node_key(key: str) -> None:
    """Raises ValueError for a key that only Kubernetes itself may set on nodes."""
    check_key(key)
    domain = key.rpartition("/")[0]
    reserved = any(domain == each or domain.endswith(f".{each}") for each in RESERVED)
    if reserved and domain not in ALLOWED_DOMAINS and key not in ALLOWED:
        raise ValueError(f"{key!r} is reserved for Kubernetes itself; use a domain of your own")


def _check_labels(labels: Mapping[str, Any]) -> None:
    for key, value in labels.items():
        check_key(key)
        check_value(value or "")


def _check_annotations(annotations: Mapping[str, Any]) -> None:
    for key in annotations:
        check_key(key.lower())
    size = sum(len((key + (value or "")).encode("utf-8", "replace")) for key, value in annotations.items())
    if size > MOST_ANNOTATION_BYTES:
        raise ValueError(f"has {size} bytes of annotations, and at most {MOST_ANNOTATION_BYTES} are allowed")


def _check_node_labels(labels: Mapping[str, Any]) -> None:
    _check_labels(labels)
    for key in labels:
        check_node_key(key)


LABELS, ANNOTATIONS, NODE_LABELS = rule(_check_labels), rule(_check_annotations), rule(_check_node_labels)
"""Validators of a whole map."""
