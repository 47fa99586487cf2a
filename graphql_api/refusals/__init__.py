"""Refusals: their codes, their types, and which domain error is which."""
