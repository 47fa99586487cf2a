"""What a round reached, incidents of their own for groups, messages that were overtaken in the outbox, rules by group."""

from alembic import op

revision = "0033"
down_revision = "0031"
branch_labels = None
depends_on = None

_CHANNEL_ENDS = "channel_id IS NOT NULL AND kind IN ('acknowledged', 'resolved')"
_OF_ROUTING = "coalesce(user_id, channel_id), coalesce(contact_method_id, user_id, channel_id), rule_step"
# Of two that tell of one end, the older is kept: the newer told of a group what the older told of its alert.
_TOLD_TWICE = """DELETE FROM notifications n USING notifications o
 WHERE n.kind = o.kind AND n.alert_id = o.alert_id AND n.episode = o.episode AND n.id > o.id
   AND ((n.kind IN ('acknowledged', 'resolved') AND n.channel_id = o.channel_id)
     OR (n.kind = 'resolved' AND n.user_id = o.user_id
         AND coalesce(n.contact_method_id, n.user_id) = coalesce(o.contact_method_id, o.user_id)))"""

UPGRADE: tuple[str, ...] = (
    "ALTER TABLE escalations ADD COLUMN has_reached BOOLEAN DEFAULT false NOT NULL",
    "ALTER TABLE escalations ADD COLUMN unreached_since TIMESTAMP WITH TIME ZONE",
    # Of a round that is under way it is not known: it is not gone through again.
    "UPDATE escalations SET has_reached = true WHERE state IN ('running', 'paused') AND position > first_position",
    "ALTER TABLE notifications ADD COLUMN incident_key TEXT",
    "DROP INDEX uq_notifications_channel_end",
    f"""CREATE UNIQUE INDEX uq_notifications_channel_end
 ON notifications (alert_id, episode, channel_id, kind, coalesce(incident_key, '')) WHERE {_CHANNEL_ENDS}""",
    "DROP INDEX uq_notifications_end",
    """CREATE UNIQUE INDEX uq_notifications_end
 ON notifications (alert_id, episode, user_id, coalesce(contact_method_id, user_id), coalesce(group_id, alert_id))
 WHERE kind = 'resolved'""",
    "ALTER TABLE outgoing_mail ADD COLUMN superseded_at TIMESTAMP WITH TIME ZONE",
    "ALTER TABLE text_messages ADD COLUMN superseded_at TIMESTAMP WITH TIME ZONE",
    "ALTER TABLE routings ADD COLUMN note TEXT",
    "ALTER TABLE routings ADD COLUMN group_id UUID",
    "ALTER TABLE routings ADD COLUMN is_joined BOOLEAN DEFAULT false NOT NULL",
    "ALTER TABLE routings ADD COLUMN ended_at TIMESTAMP WITH TIME ZONE",
    "CREATE INDEX ix_routings_group_id ON routings (group_id, rule_id) WHERE group_id IS NOT NULL",
    "DROP INDEX uq_notifications_routing",
    f"""CREATE UNIQUE INDEX uq_notifications_routing ON notifications (routing_id, {_OF_ROUTING}, kind)
 WHERE routing_id IS NOT NULL""",
)
DOWNGRADE: tuple[str, ...] = (
    # What a rule told of the end of a group: before, nobody did.
    "DELETE FROM notifications WHERE routing_id IS NOT NULL AND group_id IS NOT NULL AND kind IN ('acknowledged', 'resolved')",
    "DROP INDEX uq_notifications_routing",
    f"""CREATE UNIQUE INDEX uq_notifications_routing ON notifications (routing_id, {_OF_ROUTING})
 WHERE routing_id IS NOT NULL""",
    "DROP INDEX ix_routings_group_id",
    "ALTER TABLE routings DROP COLUMN ended_at",
    "ALTER TABLE routings DROP COLUMN is_joined",
    "ALTER TABLE routings DROP COLUMN group_id",
    "ALTER TABLE routings DROP COLUMN note",
    "ALTER TABLE text_messages DROP COLUMN superseded_at",
    "ALTER TABLE outgoing_mail DROP COLUMN superseded_at",
    _TOLD_TWICE,
    "DROP INDEX uq_notifications_end",
    """CREATE UNIQUE INDEX uq_notifications_end
 ON notifications (alert_id, episode, user_id, coalesce(contact_method_id, user_id)) WHERE kind = 'resolved'""",
    "DROP INDEX uq_notifications_channel_end",
    f"""CREATE UNIQUE INDEX uq_notifications_channel_end ON notifications (alert_id, episode, channel_id, kind)
 WHERE {_CHANNEL_ENDS}""",
    "ALTER TABLE notifications DROP COLUMN incident_key",
    "ALTER TABLE escalations DROP COLUMN unreached_since",
    "ALTER TABLE escalations DROP COLUMN has_reached",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
