"""A local simulation of the Spot API: a Kubernetes-style API server with its own auction and clock.

The CRD files in `crds/` are its source of truth. It shares no code with the client, so it cannot repeat its mistakes.
"""
