"""What schemathesis cannot know from a Kubernetes document: its hooks, loaded by the run that test_contract.py starts.

Runs in the tools' own environment, where neither rsspot nor its tests can be imported.
"""

import itertools
import json
import os
import re
import zlib

import requests
import schemathesis

GROUP = "ngpc.rxt.io/v1"
META = "io.k8s.apimachinery.pkg.apis.meta.v1."
REFUSALS = (400, 403, 404, 405, 406, 409, 410, 415, 422, 500, 504)
"""Statuses by Kubernetes' API conventions, each with a Status as its body. Its documents leave them out."""

REAL = {
    (500, r"resourceVersion should not be set on objects to be created"),
    (500, r'.*strconv\.ParseUint: parsing ".*": invalid syntax'),
    (500, r"failed to create typed patch object .*: field not declared in schema"),
    (500, r"couldn't get version/kind; json parse error: .*"),
    (504, r"Timeout: Too large resource version: \d+, current: \d+"),
}
"""What a real API server, asked the same, answers with a status that says it were the server's fault."""

UUID = "0a6e2c1e-7a53-5c5e-9d7c-0f4a0a4b9a01"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHtm6uenhaRwH6vl3V69ETCuChlrQHC2GJeyuZNpg3kI ada@example.com"
BID = {"serverClass": "ch.vs1.large-ord", "bidPrice": "0.02"}
WORLD = {
    "cloudspaces": ("CloudSpace", "prod", {"region": "us-central-ord-1", "kubernetesVersion": "1.31.1"}),
    "vmcloudspaces": ("VMCloudSpace", "vms", {"region": "us-central-ord-1", "vmSshKeyRef": {"name": "key"}}),
    "vmsshkeys": ("VMSSHKey", "key", {"publicKey": KEY}),
    "spotnodepools": ("SpotNodePool", UUID, {**BID, "cloudSpace": "prod", "desired": 1}),
    "ondemandnodepools": ("OnDemandNodePool", UUID, {"serverClass": BID["serverClass"], "cloudSpace": "prod"}),
    "vmpools": ("VMPool", UUID, {**BID, "vmCloudSpace": "vms", "desired": 1}),
    "autopilotnodepools": (
        "AutopilotNodePool",
        UUID,
        {"region": "us-central-ord-1", "cloudSpace": "prod", "vcpu": {"total": 8}, "budgetPerHour": "0.5"},
    ),
}
