"""Who is measured? Tocsin, its floor, and two servers that people run today; each is started from nothing here."""
