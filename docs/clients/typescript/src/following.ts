// How is every event had once, over lost connections? By the cursor of the last one, given as `after` each time.

import { print } from "graphql";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import type { AlertFilter, FollowSubscription, FollowSubscriptionVariables } from "./generated.js";
import { FollowDocument } from "./generated.js";
import { Refused, type Session } from "./session.js";

export type Item = Exclude<FollowSubscription["alertEvents"], { __typename: "AlertLeftView" }>;

const WAIT_MS = 1_000;
const KEEP_ALIVE_MS = 20_000;
const REMEMBERED = 1_000;
// The server's words for "do not come back like this": the protocol was broken, the session has ended, nobody like that.
const FINAL_CODES = new Set([4400, 4401, 4403]);

/** Each event once and in order, for ever; a StreamReset says that the lists have to be read anew. */
export async function* follow(
  session: Session,
  { filter, after }: { filter?: AlertFilter | undefined; after?: string | undefined } = {},
): AsyncGenerator<Item> {
  const seen = new Set<string>();
  for (;;) {
    try {
      for await (const item of once(session, { filter, after })) {
        if (item.__typename === "StreamReset") {
          after = item.resumeAfter;
          yield item;
          break;
        }
        // Of what a later server tells besides, nothing is needed here.
        if (item.__typename !== "AlertEvent") continue;
        after = item.cursor;
        if (seen.has(item.id)) continue;
        seen.add(item.id);
        if (seen.size > REMEMBERED) seen.delete(seen.values().next().value as string);
        yield item;
      }
    } catch (error) {
      if (!isLostConnection(error)) throw error;
      if (isCloseEvent(error) && FINAL_CODES.has(error.code)) {
        throw new Refused(`the server closed the socket with ${error.code} ${error.reason}`);
      }
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    }
  }
}

/** One connection's events. The library's own retry would send the first `after` again, so it has none here. */
async function* once(
  session: Session,
  variables: FollowSubscriptionVariables,
): AsyncGenerator<FollowSubscription["alertEvents"]> {
  const authorization = await session.authorization();
  const client = createClient({
    url: `${session.url.replace(/^http/, "ws")}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization },
    retryAttempts: 0,
    keepAlive: KEEP_ALIVE_MS,
  });
  try {
    const results = client.iterate<FollowSubscription>({ query: print(FollowDocument), variables });
    for await (const { data, errors } of results) {
      if (errors?.length) throw new Error(errors.map((error) => error.message).join("; "));
      if (data) yield data.alertEvents;
    }
  } finally {
    await client.dispose();
  }
}

function isCloseEvent(error: unknown): error is { code: number; reason: string } {
  return typeof error === "object" && error !== null && "code" in error && typeof error.code === "number";
}

/** A closed or failed socket, or a request for tokens that did not get through; not an answer of the API. */
function isLostConnection(error: unknown): boolean {
  const isFailedSocket = typeof error === "object" && error !== null && "type" in error && error.type === "error";
  return isCloseEvent(error) || isFailedSocket || error instanceof TypeError;
}
