"""Mail that leaves: what it says, when it is tried again, and when it is given up."""
