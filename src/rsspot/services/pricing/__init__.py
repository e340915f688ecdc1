"""Pricing: what servers cost now, what they cost before, and what the like costs elsewhere."""

GROUPS = {"pricing": "What servers cost, now and before."}
