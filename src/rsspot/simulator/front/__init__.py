"""How requests arrive: over HTTP or within the process. Decides nothing about them."""
