"""Regions: where servers stand."""

GROUPS = {"regions": "Places where cloudspaces can run."}
