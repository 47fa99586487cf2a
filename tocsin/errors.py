"""What stops a start? Something the operator can mend, said in one line on stderr, with a non-zero exit."""

# What a command ends with that could not do what it was asked, or found what is not well.
EXIT_REFUSED = 1


class StartError(Exception):
    """A start that cannot succeed; the message is one line that says what is wrong and what to do about it."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))
