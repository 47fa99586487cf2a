"""Escalation policies, escalations at work and notifications, as the API shows them."""
