"""Maintenance windows: times set aside for work, once or again and again, in which certain alerts wake nobody."""
