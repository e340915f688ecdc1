"""A Kubernetes API server: objects, versions, verbs, watches and schemas. It knows no kind and no service.

Kinds are passed in as definitions. A service adds its behavior through the `Service` protocol.
"""
