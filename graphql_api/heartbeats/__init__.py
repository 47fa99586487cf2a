"""Heartbeats over the API, and the address they are pinged at."""
