"""One file a kind of channel: how a message becomes requests, and what an answer means."""
