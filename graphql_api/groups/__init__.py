"""Groups of alerts over GraphQL: the groups, the rules that make them, and the services they go by."""
