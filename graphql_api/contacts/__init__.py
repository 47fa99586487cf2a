"""Contact methods, as the API shows them."""
