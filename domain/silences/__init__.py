"""Silences: who must not be woken, by matcher and time range."""
