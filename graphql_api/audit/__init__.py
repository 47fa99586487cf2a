"""The audit log for those who look into it, and what it keeps of reading."""
