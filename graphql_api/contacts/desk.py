"""What does a change of one's own contact methods need of a request?"""

from domain.contacts.actions import ContactDesk
from domain.contacts.model import ContactKind
from graphql_api.audit_writer import audit
from graphql_api.context import Context
from persistence.contacts import ContactRepository
from persistence.unit_of_work import UnitOfWork
from tocsin.settings import Settings

CODE_KEY = "contact-code"


def sends(settings: Settings) -> frozenset[ContactKind]:
    """The kinds that messages can go by."""
    missing = {
        *(() if settings.sends_texts else [ContactKind.SMS]),
        *(() if settings.has_slack else [ContactKind.SLACK]),
    }
    return frozenset(ContactKind) - missing


def contact_desk(context: Context, uow: UnitOfWork, action: str) -> ContactDesk:
    """For the viewer alone: nobody changes what reaches somebody else."""
    return ContactDesk(
        stores=ContactRepository(uow.connection),
        user_id=context.require_viewer(action).user_id,
        now=context.now(),
        audit=audit(context, uow, action, "contactMethod"),
        key=context.settings.derived_key(CODE_KEY),
        sends=sends(context.settings),
    )
