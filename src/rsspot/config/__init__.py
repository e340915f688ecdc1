"""What the user chose: profiles, files, and which source wins."""
