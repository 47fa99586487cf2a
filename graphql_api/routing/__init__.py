"""Routing rules: who is told of which alerts."""
