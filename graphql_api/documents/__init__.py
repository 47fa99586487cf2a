"""Trusted documents over GraphQL: found by hash, registered, listed and removed."""
