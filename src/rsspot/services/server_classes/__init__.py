"""Server classes: the server sizes that can be won at auction or rented, with their prices."""

GROUPS = {"serverclasses": "Server sizes and their prices."}
SAMPLES = {"serverclasses": "gp.vs1.large-dfw"}
