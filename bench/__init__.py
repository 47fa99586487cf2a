"""How fast are alerts taken, beside a floor, a peer and a server that keeps nothing? `make bench` tells.

Every figure is a ratio within one run on one machine; the last full run's report is README.md.
"""
