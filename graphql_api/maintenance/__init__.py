"""Maintenance windows: times set aside for work, in which certain alerts wake nobody."""
