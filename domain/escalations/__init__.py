"""Who must know of an alert, in which order, until somebody answers."""
