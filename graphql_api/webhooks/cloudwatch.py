"""What does Amazon CloudWatch say (`POST /webhooks/cloudwatch`)? An alarm's change of state, mostly within SNS.

    {"Type": "Notification", "TopicArn": "arn:aws:sns:eu-west-1:…:alerts-prod", "Subject": "ALARM: …",
     "Message": "{'AlarmName': 'checkout-cpu-high', 'NewStateValue': 'ALARM', 'OldStateValue': 'OK', 'AlarmArn': …,
                  'StateChangeTime': '2026-03-04T11:20:44.101+0000', 'Trigger': {…}}"}       (with quotes escaped)

Bodies come as text/plain. sns.SnsGate has to admit a post before it is parsed: this file believes what it reads. The
alarm may be a metric's, an anomaly's or a composite one (cloudwatch_alarm.py), or come as an event of EventBridge,
within SNS or without. Whatever else a topic carries opens an alert under its subject that never resolves by itself.
"""

from typing import Any

from domain.alerts.dedup import dedup_key
from domain.alerts.signal import RejectedItem, Signal
from graphql_api.webhooks.cloudwatch_alarm import SOURCE, alarm_signal, read_alarm
from graphql_api.webhooks.contract import Parsed, PayloadError, Post
from graphql_api.webhooks.decode import checked_body, decode_object, decode_value
from graphql_api.webhooks.diagnosis import ItemError
from graphql_api.webhooks.fields import first_text, put_json
from graphql_api.webhooks.sns import is_event_bridge
from graphql_api.webhooks.sns_message import MessageType, SnsMessage, is_message, read_message

_MOST_SUBJECT = 200


def parse(post: Post) -> Parsed:
    """The post's one alert; none for the confirmation of a subscription or of its end.

    Raises PayloadError for a body that is neither a message of SNS nor an event of EventBridge.
    """
    raw = checked_body(post.body)
    try:
        body = decode_object(raw)
        if is_message(body):
            return _of_message(read_message(body))
        alarm = read_alarm(body) if is_event_bridge(body) else None
    except ItemError as error:
        return [error.rejected(raw)]
    if alarm is None:
        raise PayloadError(422, "the body is neither a message of SNS nor an alarm's event of EventBridge", ("Type",))
    return [alarm_signal(alarm, shared={})]


def _of_message(message: SnsMessage) -> list[Signal | RejectedItem]:
    if message.type is not MessageType.NOTIFICATION:
        return []
    shared = {"topicArn": message.topic_arn, "messageId": message.fields["MessageId"]}
    content = _content(message.fields["Message"])
    try:
        alarm = read_alarm(content) if isinstance(content, dict) else None
    except ItemError as error:
        raise ItemError(error.message, ("Message", *error.path)) from error
    return [_other(message, content, shared) if alarm is None else alarm_signal(alarm, shared=shared)]


def _content(message: str) -> Any:  # noqa: ANN401 - JSON of any shape, or a text
    """The message as JSON if it is an object; people and other services send plain text."""
    if not message.lstrip().startswith("{"):
        return message
    try:
        return decode_value(message.encode())
    except PayloadError:
        return message
    except ItemError as error:
        raise ItemError(error.message, ("Message", *error.path)) from error


def _other(message: SnsMessage, content: Any, shared: dict[str, Any]) -> Signal:  # noqa: ANN401 - JSON or text
    """Something that is no alarm: whoever subscribed the topic wants to hear of it."""
    told = content if isinstance(content, dict) else {}
    lines = message.fields["Message"].strip().splitlines()
    title = first_text(message.fields.get("Subject"), told.get("detail-type"), lines[0] if lines else None)
    if title is None:
        raise ItemError("is empty", ("Message",))
    metadata: dict[str, Any] = {**shared}
    warnings = ["not an alarm: nothing will resolve it but a person"]
    put_json(metadata, warnings, name="message", value=told)
    return Signal(
        title=title,
        source=SOURCE,
        dedup_key=dedup_key("cw", 1, f"sns:{message.topic_arn}:{title[:_MOST_SUBJECT]}"),
        dedup_recipe="the SNS topic and the subject of its message",
        description=None if told else message.fields["Message"],
        labels={"region": message.region, "topic": message.topic_arn.rpartition(":")[2]},
        metadata=metadata,
        started_at=message.sent_at,
        warnings=tuple(warnings),
    )
