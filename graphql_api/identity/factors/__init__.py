"""Second factors, passkeys and proofs, as the API shows them."""
