// Sign in, list what is open, acknowledge the worst, and follow what happens.
//
//     ALERTS_URL=http://127.0.0.1:8080 ALERTS_EMAIL=admin@example.com ALERTS_PASSWORD=… npm start
//
// `ALERTS_AFTER` is a cursor to follow from (a program of yours would keep the last one on disk).

import { follow } from "./following.js";
import { AcknowledgeDocument, type AlertLineFragment, OpenAlertsDocument } from "./generated.js";
import { Session } from "./session.js";

const PAGE = 2; // small, so that this example has pages; at most 100

/** All open alerts, worst first, page by page. */
async function* openAlerts(session: Session): AsyncGenerator<AlertLineFragment> {
  let after: string | null = null;
  for (;;) {
    const { alerts }: { alerts: Page } = await session.ask(OpenAlertsDocument, { first: PAGE, after });
    yield* alerts.nodes;
    if (!alerts.pageInfo.hasNextPage) return;
    after = alerts.pageInfo.endCursor;
  }
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

/** Print and return what is open. */
async function listOpen(session: Session): Promise<AlertLineFragment[]> {
  const found: AlertLineFragment[] = [];
  for await (const alert of openAlerts(session)) {
    found.push(alert);
    console.log("open", alert.severity, alert.status, alert.title);
  }
  return found;
}

const session = await Session.signIn(
  process.env["ALERTS_URL"] ?? "http://127.0.0.1:8080",
  process.env["ALERTS_EMAIL"] ?? "admin@example.com",
  process.env["ALERTS_PASSWORD"] ?? "",
);
const worst = (await listOpen(session)).find((alert) => alert.status === "ACTIVE");
if (worst) await acknowledge(session, worst);
console.log("following");
for await (const item of follow(session, { after: process.env["ALERTS_AFTER"] })) {
  if (item.__typename === "StreamReset") {
    console.log("reset", item.reason);
    await listOpen(session);
  } else {
    console.log("event", item.kind, item.alert.title);
  }
}
