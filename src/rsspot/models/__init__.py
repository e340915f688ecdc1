"""Types that all kinds share: resources and their metadata, field facts, prices and names."""
