"""Who must know, and who was told? Escalation policies, escalations at work, and notifications."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from persistence.tables.base import alert_severity, flag, integer, json, metadata, primary_id, time, uuid

LIVE = "state IN ('running', 'paused')"

escalation_policies = sa.Table(
    "escalation_policies",
    metadata,
    primary_id(),
    uuid("team_id", references="teams.id"),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("severities", pg.ARRAY(alert_severity), nullable=False),
    json("steps", default="[]"),
    integer("repeats", 0),
    sa.Column("ack_timeout", sa.Interval, nullable=True),
    # Set to work by routing rules alone.
    flag("is_by_rule", default=False),
    time("created_at"),
    time("updated_at"),
    time("archived_at", nullable=True),
    integer("version", 1),
    # Two, for NULL is not equal to NULL.
    sa.Index(
        "uq_escalation_policies_team_name",
        "team_id",
        "name",
        unique=True,
        postgresql_where=sa.text("team_id IS NOT NULL AND archived_at IS NULL"),
    ),
    sa.Index(
        "uq_escalation_policies_name",
        "name",
        unique=True,
        postgresql_where=sa.text("team_id IS NULL AND archived_at IS NULL"),
    ),
)

channels = sa.Table(
    "channels",
    metadata,
    primary_id(),
    uuid("team_id", references="teams.id"),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    # All values as one JSON object, sealed; NULL once the channel ended.
    sa.Column("sealed_values", sa.LargeBinary, nullable=True),
    time("created_at"),
    time("updated_at"),
    time("archived_at", nullable=True),
    sa.Column("problem", sa.Text, nullable=True),
    time("problem_at", nullable=True),
    # Messages that left with the built-in text, since what they were to be made of failed.
    integer("template_failures", 0),
    sa.Column("template_problem", sa.Text, nullable=True),
    time("template_problem_at", nullable=True),
    integer("version", 1),
    sa.Index(
        "uq_channels_team_name",
        "team_id",
        "name",
        unique=True,
        postgresql_where=sa.text("team_id IS NOT NULL AND archived_at IS NULL"),
    ),
    sa.Index(
        "uq_channels_name",
        "name",
        unique=True,
        postgresql_where=sa.text("team_id IS NULL AND archived_at IS NULL"),
    ),
)

# No foreign key to `alerts`: an insert here would lock a row that ingest wants.
escalations = sa.Table(
    "escalations",
    metadata,
    primary_id(),
    uuid("alert_id", nullable=False),
    sa.Column("episode", sa.Integer, nullable=False),
    # None: a drill of a schedule alone.
    uuid("policy_id", references="escalation_policies.id"),
    sa.Column("policy_version", sa.Integer, nullable=False),
    json("steps", default="[]"),
    integer("repeats", 0),
    sa.Column("ack_timeout", sa.Interval, nullable=True),
    integer("position", 0),
    sa.Column("state", sa.Text, nullable=False),
    time("started_at"),
    time("next_at", nullable=True),
    time("wakes_at", nullable=True),
    time("ended_at", nullable=True),
    sa.Column("reason", sa.Text, nullable=True),
    # Of one that stands for a group: which, for the alerts of which team, how bad what it told of was, and what it
    # takes. `alert_id` is the alert that began it, for good. Standing until no alert of the group is open any more.
    uuid("group_id"),
    uuid("team_id"),
    flag("is_standing", default=False),
    sa.Column("severity", alert_severity, nullable=True),
    sa.Column("severities", pg.ARRAY(alert_severity), nullable=True),
    time("answered_at", nullable=True),
    # Where it began again.
    integer("first_position", 0),
    # Whether a step of this round reached anybody, and since when whole rounds reach nobody.
    flag("has_reached", default=False),
    time("unreached_since", nullable=True),
    # Its alerts went to another group: those it told hear of the end from the escalation of that one.
    uuid("succeeded_by"),
    # A policy runs once for an episode, whoever starts it and however often; and once at a time for a group.
    sa.Index(
        "uq_escalations_alert_policy_episode",
        "alert_id",
        "policy_id",
        "episode",
        unique=True,
        postgresql_where=sa.text("group_id IS NULL"),
    ),
    sa.Index(
        "uq_escalations_group_policy", "group_id", "policy_id", unique=True, postgresql_where=sa.text("is_standing")
    ),
    sa.Index("ix_escalations_group_id", "group_id", postgresql_where=sa.text("group_id IS NOT NULL")),
    sa.Index("ix_escalations_succeeded_by", "succeeded_by", postgresql_where=sa.text("succeeded_by IS NOT NULL")),
    sa.Index("ix_escalations_next_at", "next_at", postgresql_where=sa.text("state = 'running'")),
    sa.Index("ix_escalations_wakes_at", "wakes_at", postgresql_where=sa.text("wakes_at IS NOT NULL")),
    sa.Index("ix_escalations_live", "alert_id", postgresql_where=sa.text(LIVE)),
)

# The alerts that a group's escalation stands for, each episode; `is_quiet`: it came when somebody had answered already.
escalation_members = sa.Table(
    "escalation_members",
    metadata,
    sa.Column("escalation_id", pg.UUID(as_uuid=True), sa.ForeignKey("escalations.id"), primary_key=True),
    sa.Column("alert_id", pg.UUID(as_uuid=True), primary_key=True),
    sa.Column("episode", sa.Integer, primary_key=True),
    time("joined_at"),
    time("left_at", nullable=True),
    flag("is_quiet", default=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Index("ix_escalation_members_alert_id", "alert_id"),
)

notifications = sa.Table(
    "notifications",
    metadata,
    primary_id(),
    sa.Column("kind", sa.Text, nullable=False),
    uuid("alert_id"),
    sa.Column("episode", sa.Integer, nullable=True),
    uuid("user_id", references="users.id"),
    uuid("channel_id", references="channels.id"),
    uuid("escalation_id", references="escalations.id"),
    sa.Column("position", sa.Integer, nullable=True),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    time("created_at"),
    uuid("mail_id"),
    time("mailed_at", nullable=True),
    time("settled_at", nullable=True),
    sa.Column("problem", sa.Text, nullable=True),
    integer("attempts", 0),
    time("next_attempt_at", nullable=True),
    sa.Column("answer", sa.Text, nullable=True),
    # Which time of flapping it tells of.
    time("flapping_since", nullable=True),
    # By which of a person's contact methods, and which step of their own rule; none: mail to their account.
    uuid("contact_method_id"),
    sa.Column("contact_kind", sa.Text, nullable=True),
    integer("rule_step", 0),
    uuid("text_id"),
    # The routing rule's decision behind it, where a rule was; and whose quiet hours held it, until when.
    uuid("routing_id", references="routings.id"),
    sa.Column("held_reason", sa.Text, nullable=True),
    time("held_until", nullable=True),
    # The message in Slack that shows it, and follows its alert.
    uuid("slack_message_id"),
    # The group it tells of; its alert is the one that began the group's escalation.
    uuid("group_id"),
    # What the incident elsewhere is known by that it opens or ends; none: by the alert.
    sa.Column("incident_key", sa.Text, nullable=True),
    # Since when its provider's being away let another way be taken as well.
    time("fell_back_at", nullable=True),
    # The swap of shifts it tells of.
    uuid("swap_id", references="shift_swaps.id"),
    sa.CheckConstraint("num_nonnulls(user_id, channel_id) = 1", name="one_recipient"),
    # Told once: by a step of an escalation, and of the end of an episode.
    sa.Index(
        "uq_notifications_step",
        "escalation_id",
        "position",
        "user_id",
        sa.text("coalesce(contact_method_id, user_id)"),
        "rule_step",
        unique=True,
        postgresql_where=sa.text("escalation_id IS NOT NULL"),
    ),
    sa.Index(
        "uq_notifications_channel_step",
        "escalation_id",
        "position",
        "channel_id",
        unique=True,
        postgresql_where=sa.text("channel_id IS NOT NULL AND escalation_id IS NOT NULL"),
    ),
    sa.Index(
        "uq_notifications_channel_end",
        "alert_id",
        "episode",
        "channel_id",
        "kind",
        sa.text("coalesce(incident_key, '')"),
        unique=True,
        postgresql_where=sa.text("channel_id IS NOT NULL AND kind IN ('acknowledged', 'resolved')"),
    ),
    sa.Index(
        "ix_notifications_channel_due",
        "next_attempt_at",
        postgresql_where=sa.text("channel_id IS NOT NULL AND state = 'queued'"),
    ),
    sa.Index(
        "uq_notifications_end",
        "alert_id",
        "episode",
        "user_id",
        sa.text("coalesce(contact_method_id, user_id)"),
        sa.text("coalesce(group_id, alert_id)"),
        unique=True,
        postgresql_where=sa.text("kind = 'resolved'"),
    ),
    sa.Index(
        "uq_notifications_flapping",
        "alert_id",
        "flapping_since",
        "kind",
        sa.text("coalesce(user_id, channel_id)"),
        unique=True,
        postgresql_where=sa.text("flapping_since IS NOT NULL"),
    ),
    sa.Index(
        "uq_notifications_routing",
        "routing_id",
        sa.text("coalesce(user_id, channel_id)"),
        sa.text("coalesce(contact_method_id, user_id, channel_id)"),
        "rule_step",
        "kind",
        unique=True,
        postgresql_where=sa.text("routing_id IS NOT NULL"),
    ),
    sa.Index(
        "uq_notifications_swap",
        "swap_id",
        "kind",
        "user_id",
        sa.text("coalesce(contact_method_id, user_id)"),
        "rule_step",
        unique=True,
        postgresql_where=sa.text("swap_id IS NOT NULL"),
    ),
    # What a channel's provider called the message: its answer is that, or begins with it.
    sa.Index(
        "ix_notifications_answer",
        "answer",
        postgresql_where=sa.text("answer IS NOT NULL"),
        postgresql_ops={"answer": "text_pattern_ops"},
    ),
    sa.Index("ix_notifications_user_id", "user_id", "id", postgresql_where=sa.text("user_id IS NOT NULL")),
    sa.Index("ix_notifications_channel_id", "channel_id", "id", postgresql_where=sa.text("channel_id IS NOT NULL")),
    sa.Index("ix_notifications_alert_id", "alert_id", "id"),
    sa.Index("ix_notifications_pages", "created_at", "alert_id", postgresql_where=sa.text("kind = 'page'")),
    sa.Index(
        "ix_notifications_waiting",
        "user_id",
        "created_at",
        postgresql_where=sa.text("state IN ('queued', 'held')"),
    ),
    sa.Index("ix_notifications_text", "text_id", postgresql_where=sa.text("text_id IS NOT NULL")),
    sa.Index(
        "ix_notifications_slack_message_id",
        "slack_message_id",
        postgresql_where=sa.text("slack_message_id IS NOT NULL"),
    ),
    sa.Index("ix_notifications_mail", "mail_id", postgresql_where=sa.text("mail_id IS NOT NULL")),
    sa.Index("ix_notifications_mailed", "mail_id", postgresql_where=sa.text("state = 'mailed'")),
    sa.Index("ix_notifications_mailed_at", "user_id", "mailed_at", postgresql_where=sa.text("mailed_at IS NOT NULL")),
)
