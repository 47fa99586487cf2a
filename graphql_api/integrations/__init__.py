"""Integrations, their keys and the preview, as the API shows them."""
