"""Threshold rules over the API."""
