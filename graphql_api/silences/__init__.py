"""Silences: which alerts wake nobody, until when, why, and by whom."""
