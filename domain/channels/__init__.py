"""Where messages go that are for no single person: Slack, Microsoft Teams, PagerDuty, any webhook."""
