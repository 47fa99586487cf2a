"""Inhibition rules over GraphQL."""
