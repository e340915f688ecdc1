"""Server classes: what can be won at auction or rented, and for how much."""

GROUPS = {"serverclasses": "Server sizes, with their market."}
