"""People, teams and sign-in, as the API shows them."""
