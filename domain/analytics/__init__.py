"""How much of what comes is noise, and what would spare it? Figures and suggestions over stored history."""
