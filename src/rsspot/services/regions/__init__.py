"""Regions: the data centers that servers run in."""

GROUPS = {"regions": "Regions where cloudspaces can run."}
SAMPLES = {"regions": "us-central-dfw-1"}
