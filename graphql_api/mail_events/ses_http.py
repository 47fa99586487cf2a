"""What does Amazon SES call? Its events over SNS: delivery, open, bounce, complaint, reject.

The signature is checked first, as for alarms of CloudWatch (webhooks/sns.py); then the topic, for anybody may have SNS
sign a message of a topic of their own. 204 is answered once the event is written down; SNS sends anything else again.
"""

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.mail.feedback import of_ses
from graphql_api.mail_events.body import whole_body
from graphql_api.state import AppState
from graphql_api.webhooks.contract import PayloadError
from graphql_api.webhooks.sns import SnsGate
from graphql_api.webhooks.sns_client import HttpsSnsClient
from graphql_api.webhooks.sns_message import MessageType, SnsMessage
from persistence.mail_feedback import note_feedback

PATH = "/mail/ses/events"


class SesEvents:
    """The route. Certificates are kept, so one serves all posts of a process."""

    def __init__(self, gate: SnsGate | None = None) -> None:
        aws = HttpsSnsClient()
        self._gate = gate or SnsGate(aws, aws)
        self.routes = [Route(PATH, self.take, methods=["POST"])]

    async def take(self, request: Request) -> Response:
        """One message of SNS."""
        state: AppState = request.app.state.tocsin
        topic, body = state.settings.ses_topic_arn, await whole_body(request)
        if body is None:
            return Response(status_code=413)
        if topic is None:
            return Response(status_code=403)
        try:
            message = await self._gate.verify(_object(body), state.clock.now())
            if message.topic_arn != topic:
                return Response(status_code=403)
            await self._gate.confirm(message)
        except PayloadError as error:
            return Response(status_code=403 if error.status == 401 else error.status)  # noqa: PLR2004 - it is no sign-in
        await self._note(state, message)
        return Response(status_code=204)

    @staticmethod
    async def _note(state: AppState, message: SnsMessage) -> None:
        event = _object(message.fields["Message"].encode()) if message.type is MessageType.NOTIFICATION else {}
        feedback = of_ses(event)
        if feedback is not None:
            await note_feedback(state.engine, feedback, now=state.clock.now())


def _object(text: bytes) -> dict[str, object]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
