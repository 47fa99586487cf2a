"""What can be done to alerts: one file a mutation."""

import strawberry

from graphql_api.alerts.mutations.acknowledge_alert import acknowledge_alert
from graphql_api.alerts.mutations.acknowledge_alerts import acknowledge_alerts
from graphql_api.alerts.mutations.assign_alert import assign_alert
from graphql_api.alerts.mutations.assign_alerts import assign_alerts
from graphql_api.alerts.mutations.comment_on_alert import comment_on_alert
from graphql_api.alerts.mutations.create_alert import create_alert
from graphql_api.alerts.mutations.delete_attachment import delete_attachment
from graphql_api.alerts.mutations.investigate_alert import investigate_alert
from graphql_api.alerts.mutations.move_alert import move_alert
from graphql_api.alerts.mutations.move_alerts import move_alerts
from graphql_api.alerts.mutations.reopen_alert import reopen_alert
from graphql_api.alerts.mutations.resolve_alert import resolve_alert
from graphql_api.alerts.mutations.resolve_alerts import resolve_alerts
from graphql_api.alerts.mutations.snooze_alert import snooze_alert
from graphql_api.alerts.mutations.update_alert import update_alert
from graphql_api.alerts.mutations.wake_alert import wake_alert


@strawberry.type
class AlertMutations:
    """Mixed into Mutation."""

    create_alert = create_alert
    update_alert = update_alert
    acknowledge_alert = acknowledge_alert
    investigate_alert = investigate_alert
    resolve_alert = resolve_alert
    reopen_alert = reopen_alert
    assign_alert = assign_alert
    move_alert = move_alert
    comment_on_alert = comment_on_alert
    snooze_alert = snooze_alert
    wake_alert = wake_alert
    acknowledge_alerts = acknowledge_alerts
    resolve_alerts = resolve_alerts
    assign_alerts = assign_alerts
    move_alerts = move_alerts
    delete_attachment = delete_attachment
