"""The machinery of a Kubernetes API: objects, versions, verbs, watches, schemas. Knows no kind and no service.

Kinds come in as definitions, and what a service does about its objects as a `Service`.
"""
