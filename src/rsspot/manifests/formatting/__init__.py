"""Manifests in one layout: indentation, the order of keys, comments where they belong. Changes no value."""
