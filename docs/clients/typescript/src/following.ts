// How is every event had once, over lost connections? By the cursor of the last one, given as `after` each time.

import { print } from "graphql";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import type { AlertFilter, FollowSubscription, FollowSubscriptionVariables } from "./generated.js";
import { FollowDocument } from "./generated.js";
import { asError, Refused, type Session, Unavailable, WAIT_MS } from "./session.js";

export type Item = FollowSubscription["alertEvents"];

const KEEP_ALIVE_MS = 20_000;
const REMEMBERED = 1_000;
// The server's words for "do not come back like this": the protocol was broken, the session has ended, nobody like that.
const FINAL_CODES = new Set([4400, 4401, 4403]);

/** Each event once and in order, for ever; a StreamReset says that the lists have to be read anew. */
export async function* follow(
  session: Session,
  { filter, after }: { filter?: AlertFilter | undefined; after: string },
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
        if (item.__typename === "AlertEvent") {
          if (seen.has(item.id)) continue;
          seen.add(item.id);
          if (seen.size > REMEMBERED) seen.delete(seen.values().next().value as string);
        }
        yield item;
        // Dealt with by now: a program that keeps its cursor on disk writes it here. What a later server tells besides
        // has none.
        after = item.cursor ?? after;
      }
    } catch (error) {
      if (!isLostConnection(error)) throw error;
      if (isCloseEvent(error) && FINAL_CODES.has(error.code)) {
        throw new Refused(`the server closed the socket with ${error.code} ${error.reason}`);
      }
    }
    // Also after a stream that ended by itself: who comes back at once, again and again, is a flood.
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
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
      if (errors?.length) throw asError(errors);
      if (data) yield data.alertEvents;
    }
  } catch (error) {
    // What could not run at all.
    throw Array.isArray(error) ? asError(error) : error;
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
  return isCloseEvent(error) || isFailedSocket || error instanceof TypeError || error instanceof Unavailable;
}
