"""The pages that mailed links lead to: `/account/{verify,reset,invitation,address}`."""
