"""The command line: options, sessions, output and exit codes. Holds no Spot logic."""
