"""Can a template be used? What is wrong with one is told by the field it is in, with its line and column."""

from dataclasses import replace

from domain.channels.templates import NAMES, TemplateFails, TemplateProblem
from domain.errors import InvalidInput
from persistence.templating import check


def problem_of(field: str, source: str, names: frozenset[str] = NAMES) -> TemplateProblem | None:
    """What is wrong with the template of one field; None for nothing. `names` are those it may use."""
    try:
        check(source, names)
    except TemplateFails as error:
        return replace(error.problem, field=field)
    return None


def check_field(field: str, source: str, names: frozenset[str] = NAMES) -> None:
    """InvalidInput, by the field's name, unless the template can be used."""
    problem = problem_of(field, source, names)
    if problem is not None:
        raise InvalidInput(problem.told, (field,))
