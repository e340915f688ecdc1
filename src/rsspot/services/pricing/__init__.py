"""Pricing: current and past prices of servers, and prices of comparable servers in other clouds."""

GROUPS = {"pricing": "Current and past server prices."}
