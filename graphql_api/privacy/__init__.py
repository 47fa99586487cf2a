"""What people may have of their data, and how they are forgotten, as the API shows it."""
