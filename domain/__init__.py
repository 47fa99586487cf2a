"""The domain: what Tocsin decides, in pure Python. No framework, no I/O, no clock, no session."""
