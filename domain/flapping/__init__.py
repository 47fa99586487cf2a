"""What turns too often, and what ends by itself before anybody looks? Pure rules over the history of one dedup key."""
