"""What can be changed of accounts? One file a mutation: what a stranger may, then a person, then an administrator."""

import strawberry

from graphql_api.identity.account_mutations.accept_invitation import accept_invitation
from graphql_api.identity.account_mutations.change_password import change_password
from graphql_api.identity.account_mutations.change_user_role import change_user_role
from graphql_api.identity.account_mutations.confirm_address_change import confirm_address_change
from graphql_api.identity.account_mutations.deactivate_user import deactivate_user
from graphql_api.identity.account_mutations.invite_user import invite_user
from graphql_api.identity.account_mutations.reactivate_user import reactivate_user
from graphql_api.identity.account_mutations.register import register
from graphql_api.identity.account_mutations.request_address_change import request_address_change
from graphql_api.identity.account_mutations.request_password_reset import request_password_reset
from graphql_api.identity.account_mutations.resend_verification import resend_verification
from graphql_api.identity.account_mutations.reset_password import reset_password
from graphql_api.identity.account_mutations.revoke_invitation import revoke_invitation
from graphql_api.identity.account_mutations.update_me import update_me
from graphql_api.identity.account_mutations.update_user import update_user
from graphql_api.identity.account_mutations.verify_address import verify_address


@strawberry.type
class AccountMutations:
    """Mixed into Mutation."""

    register = register
    resend_verification = resend_verification
    verify_address = verify_address
    request_password_reset = request_password_reset
    reset_password = reset_password
    accept_invitation = accept_invitation
    confirm_address_change = confirm_address_change
    update_me = update_me
    change_password = change_password
    request_address_change = request_address_change
    invite_user = invite_user
    revoke_invitation = revoke_invitation
    update_user = update_user
    change_user_role = change_user_role
    deactivate_user = deactivate_user
    reactivate_user = reactivate_user
