"""Trusted documents: GraphQL documents that administrators registered, known by the hash of their text."""
