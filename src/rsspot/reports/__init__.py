"""A plan or a run as text. Renderers only: nothing is decided here."""
