"""What teams own and do: which alerts are theirs, who is in them, and what happens when one goes."""
