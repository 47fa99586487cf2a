"""Alert rules: what an alert's own content decides about it, by conditions people write."""
