"""Teams: their life, who is in them, what they own, and the stream of all that happens to them."""
