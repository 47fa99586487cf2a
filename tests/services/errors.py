"""What says that a service cannot be had on this machine? Tests that need it are skipped by its name."""


class UnavailableError(Exception):
    """The service cannot be brought up here; the message names it and says why."""
