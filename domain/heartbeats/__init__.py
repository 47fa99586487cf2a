"""Heartbeats: alerts raised because somebody who should have said something did not."""
