"""A client of Tocsin's GraphQL API, with models generated from the schema."""
