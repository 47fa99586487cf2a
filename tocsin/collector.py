"""How often does Python look for garbage? Seldom: most of what a program of ours makes goes without being looked for.

Left alone, the collector walks again and again through the thousands of modules and classes that a start loads, which
makes up a sixth of its time.
"""

import atexit
import gc

# New objects between two looks of the garbage collector, and how many looks go before a thorough one (default: 700).
COLLECTOR = (20_000, 20, 20)


def look_seldom() -> None:
    """From now on in this process."""
    gc.set_threshold(*COLLECTOR)


def settle_memory() -> None:
    """Spare the collector what was loaded: it stays for life.

    Left alone, the collector takes a tenth of the time that posts are taken in, and walks through everything loaded
    again and again: every post then waits for 50 to 100 ms.
    """
    gc.collect()
    gc.freeze()
    look_seldom()


def end_without_looking() -> None:
    """What is left when this process ends goes with it: to look through all of it was a fifth of a start and a stop."""
    atexit.register(gc.freeze)
