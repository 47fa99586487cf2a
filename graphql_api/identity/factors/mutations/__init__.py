"""What can be changed of second factors, and how a sign-in or a step-up proves one: one file a mutation."""

import strawberry

from graphql_api.identity.factors.mutations.begin_passkey_registration import begin_passkey_registration
from graphql_api.identity.factors.mutations.begin_passkey_sign_in import begin_passkey_sign_in
from graphql_api.identity.factors.mutations.begin_passkey_step_up import begin_passkey_step_up
from graphql_api.identity.factors.mutations.begin_totp_enrolment import begin_totp_enrolment
from graphql_api.identity.factors.mutations.complete_login import complete_login
from graphql_api.identity.factors.mutations.confirm_totp_enrolment import confirm_totp_enrolment
from graphql_api.identity.factors.mutations.disable_totp import disable_totp
from graphql_api.identity.factors.mutations.finish_passkey_registration import finish_passkey_registration
from graphql_api.identity.factors.mutations.finish_passkey_sign_in import finish_passkey_sign_in
from graphql_api.identity.factors.mutations.regenerate_recovery_codes import regenerate_recovery_codes
from graphql_api.identity.factors.mutations.remove_passkey import remove_passkey
from graphql_api.identity.factors.mutations.rename_passkey import rename_passkey
from graphql_api.identity.factors.mutations.reset_user_factors import reset_user_factors
from graphql_api.identity.factors.mutations.step_up import step_up


@strawberry.type
class FactorMutations:
    """Mixed into Mutation."""

    complete_login = complete_login
    begin_passkey_sign_in = begin_passkey_sign_in
    finish_passkey_sign_in = finish_passkey_sign_in
    begin_passkey_step_up = begin_passkey_step_up
    step_up = step_up
    begin_totp_enrolment = begin_totp_enrolment
    confirm_totp_enrolment = confirm_totp_enrolment
    disable_totp = disable_totp
    regenerate_recovery_codes = regenerate_recovery_codes
    begin_passkey_registration = begin_passkey_registration
    finish_passkey_registration = finish_passkey_registration
    rename_passkey = rename_passkey
    remove_passkey = remove_passkey
    reset_user_factors = reset_user_factors
