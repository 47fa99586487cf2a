"""What is kept about people, what they may have of it, and how it is forgotten."""
