"""The search index: one document an alert in Elasticsearch, kept current by the relay's consumer."""
