"""The REST shim: one parser a source. A parser turns bytes into signals and decides nothing."""
