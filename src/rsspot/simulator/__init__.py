"""The Spot API on this machine: a Kubernetes-style API server with an auction and a clock of its own.

Its truth is the CRD files in `crds/`. It imports none of the client's rooms, so it cannot share their mistakes.
"""
