"""Channels, as the API shows them."""
