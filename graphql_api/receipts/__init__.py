"""Receipts of posts, the items that were rejected, and their replay, as the API shows them."""
