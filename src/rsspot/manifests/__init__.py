"""YAML to manifests: what the author wrote, where, and everything that is wrong with it. Reaches no network."""
