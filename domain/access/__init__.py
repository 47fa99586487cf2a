"""Programs that use the API, the keys they come with, and how much anybody may ask in a while."""
