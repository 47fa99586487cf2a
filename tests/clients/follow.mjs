// Follows alertEvents with the official client of graphql-transport-ws, as a program that must miss nothing would:
// it resumes after the last cursor it saw. Prints one JSON line per thing that happens; a line `cut` on its input
// breaks the connection without a word to the server.
//   node follow.mjs ws://host:port/graphql <access token> <document> [cursor]
import { createInterface } from 'node:readline';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [url, token, query, cursor = null] = process.argv.slice(2);
const say = (line) => console.log(JSON.stringify(line));
const variables = { after: cursor };
let socket = null;

const client = createClient({
  url,
  webSocketImpl: WebSocket,
  connectionParams: () => ({ authorization: `Bearer ${token}` }),
  keepAlive: 1_000,
  retryAttempts: Infinity,
  retryWait: () => new Promise((resolve) => setTimeout(resolve, 100)),
  shouldRetry: () => true,
  on: {
    connected: (opened) => {
      socket = opened;
      say({ connected: true });
    },
    closed: (event) => say({ closed: event.code ?? null }),
    pong: () => say({ pong: true }),
  },
});

createInterface({ input: process.stdin }).on('line', (line) => {
  if (line === 'cut') socket.terminate();
});

// The client sends the payload again at each connection: a cursor that moves on is all that resuming takes.
client.subscribe(
  { query, variables },
  {
    next: ({ data, errors }) => {
      if (errors) {
        // A store went away while the event was being told: begin again before it.
        say({ errors });
        socket.terminate();
        return;
      }
      const message = data.alertEvents;
      if (message.__typename === 'StreamReset') variables.after = message.resumeAfter ?? variables.after;
      else variables.after = message.cursor;
      say({ message });
    },
    error: (error) => say({ error: String(error?.reason || error?.message || JSON.stringify(error)) }),
    complete: () => say({ complete: true }),
  },
);
