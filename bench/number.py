"""How is a figure of a report written? With as many digits as it is worth."""


def number(value: float | None) -> str:
    """Three figures or so; a dash for what was not measured."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def met(is_met: bool) -> str:  # noqa: FBT001 - a cell
    """Whether a goal was met."""
    return "yes" if is_met else "**no**"
