"""The front door for people: options, sessions, rendering and exit codes. Decides nothing about Spot."""
