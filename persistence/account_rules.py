"""Which rules for accounts do the settings give? The same for the API, which is asked, and workers, who answer."""

from domain.identity.account_desk import AccountRules, LinkLives
from domain.identity.letters import Letters
from tocsin.settings import Settings


def account_rules(settings: Settings) -> AccountRules:
    """The rules of this installation."""
    return AccountRules(
        address_keys=(settings.derived_key("email-hash"), *settings.older_derived_keys("email-hash")),
        lives=LinkLives(
            verification=settings.verification_link_ttl,
            reset=settings.password_reset_link_ttl,
            invitation=settings.invitation_link_ttl,
        ),
        letters=Letters(settings.effective_public_url),
    )
