"""Who uses Tocsin, how they prove it, and how far they see."""
