"""Who did what, and what was refused: the entries of the append-only audit log."""
