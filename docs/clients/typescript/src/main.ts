// Sign in, list what is open, acknowledge the worst, and follow what happens.
//
//     ALERTS_URL=http://127.0.0.1:8080 ALERTS_EMAIL=admin@example.com ALERTS_PASSWORD=… npm start
//
// `ALERTS_AFTER` is a cursor to follow from (a program of yours would keep the last one on disk); by default, from what is
// listed on.

import { follow } from "./following.js";
import { AcknowledgeDocument, type AlertLineFragment, OpenAlertsDocument } from "./generated.js";
import { Session } from "./session.js";

const PAGE = 2; // small, so that this example has pages; at most 100

/** Print and return what is open, worst first, page by page; and the cursor from which it is followed. */
async function listOpen(session: Session): Promise<Listed> {
  const found: AlertLineFragment[] = [];
  let after: string | null = null;
  let begins: string | undefined;
  for (;;) {
    const { alerts, eventCursor }: Answer = await session.read(OpenAlertsDocument, { first: PAGE, after });
    // That of the first page: what happens while the others are read must not be missed.
    begins ??= eventCursor;
    for (const alert of alerts.nodes) {
      console.log("open", alert.severity, alert.status, alert.title);
      found.push(alert);
    }
    if (!alerts.pageInfo.hasNextPage) return { found, begins };
    after = alerts.pageInfo.endCursor;
  }
}

interface Listed {
  readonly found: AlertLineFragment[];
  readonly begins: string;
}

interface Answer {
  readonly alerts: Page;
  readonly eventCursor: string;
}

interface Page {
  readonly nodes: ReadonlyArray<AlertLineFragment>;
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/** Take an alert, unless it has changed since we read it. */
async function acknowledge(session: Session, alert: AlertLineFragment): Promise<void> {
  const input = { id: alert.id, expectedVersion: alert.version };
  const { acknowledgeAlert: answer } = await session.ask(AcknowledgeDocument, { input });
  switch (answer.__typename) {
    case "AcknowledgeAlertSuccess":
      console.log("acknowledged", answer.alert.title);
      break;
    case "IllegalMove":
      console.log(`${alert.title} is ${answer.current} already`);
      break;
    default:
      console.log(`not acknowledged: ${answer.code}: ${answer.message}`);
  }
}

const session = await Session.signIn(
  process.env["ALERTS_URL"] ?? "http://127.0.0.1:8080",
  process.env["ALERTS_EMAIL"] ?? "admin@example.com",
  process.env["ALERTS_PASSWORD"] ?? "",
);
const { found, begins } = await listOpen(session);
const worst = found.find((alert) => alert.status === "ACTIVE");
if (worst) await acknowledge(session, worst);
console.log("following");
for await (const item of follow(session, { after: process.env["ALERTS_AFTER"] ?? begins })) {
  switch (item.__typename) {
    case "StreamReset":
      console.log("reset", item.reason);
      await listOpen(session);
      break;
    case "AlertLeftView":
      console.log("left", item.alertId);
      break;
    case "AlertEvent":
      console.log("event", item.kind, item.alert.title);
      break;
  }
}
