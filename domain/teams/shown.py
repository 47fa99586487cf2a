"""What does the audit log keep of a team?"""

from typing import Any

from domain.identity.model import Team


def shown(team: Team) -> dict[str, Any]:
    """Its fields, as JSON."""
    return {
        "name": team.name,
        "slug": team.slug,
        "description": team.description,
        "isPrivate": team.is_private,
        "pauseSeconds": team.pause_seconds,
        "isArchived": team.archived_at is not None,
        "version": team.version,
    }
