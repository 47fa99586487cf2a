"""Alerts in the API: what is read of them, and what is done to them."""
