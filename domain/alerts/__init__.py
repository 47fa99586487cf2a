"""Alerts: what one is, how a signal becomes one, and which moves its life allows."""
