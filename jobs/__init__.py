"""Entry point 2: what happens after COMMIT. The relay reads the log for its consumers; workers do what is due."""
