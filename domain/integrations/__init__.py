"""Integrations: the monitoring tools that post alerts, their keys, and how their words are read."""
