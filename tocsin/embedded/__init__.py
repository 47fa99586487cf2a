"""The servers that come with the program, for one machine: PostgreSQL and Valkey under the data directory."""
