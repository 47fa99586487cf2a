"""The report of noise and the suggestions, in the API."""
