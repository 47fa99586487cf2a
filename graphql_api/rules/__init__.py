"""Alert rules over the API."""
