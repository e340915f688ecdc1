"""Cloudspaces: managed Kubernetes clusters on spot capacity."""

GROUPS = {"cloudspaces": "Kubernetes clusters on spot capacity."}
