"""Service accounts and API keys, as the API shows them; and how much anybody may ask in a while."""
