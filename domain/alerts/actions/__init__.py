"""The use cases on alerts: what a person (or the passing of time) does, each in one unit of work, seeing only ports."""
