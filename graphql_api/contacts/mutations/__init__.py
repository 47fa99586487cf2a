"""What can a person change of what reaches them? One file a mutation."""

import strawberry

from graphql_api.contacts.mutations.add_contact_method import add_contact_method
from graphql_api.contacts.mutations.remove_contact_method import remove_contact_method
from graphql_api.contacts.mutations.send_contact_verification import send_contact_verification
from graphql_api.contacts.mutations.set_notification_rules import set_notification_rules
from graphql_api.contacts.mutations.set_quiet_hours import set_quiet_hours
from graphql_api.contacts.mutations.set_team_quiet_hours import set_team_quiet_hours
from graphql_api.contacts.mutations.test_notification import test_notification
from graphql_api.contacts.mutations.update_contact_method import update_contact_method
from graphql_api.contacts.mutations.verify_contact_method import verify_contact_method


@strawberry.type
class ContactMutations:
    """Mixed into Mutation."""

    add_contact_method = add_contact_method
    send_contact_verification = send_contact_verification
    verify_contact_method = verify_contact_method
    update_contact_method = update_contact_method
    remove_contact_method = remove_contact_method
    test_notification = test_notification
    set_notification_rules = set_notification_rules
    set_quiet_hours = set_quiet_hours
    set_team_quiet_hours = set_team_quiet_hours
