"""Threshold rules: alerts raised from the time series of alerts."""
