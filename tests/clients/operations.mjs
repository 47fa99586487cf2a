// What the official client of graphql-transport-ws makes of a server: a query, a mutation that is refused, a document
// that cannot run, many operations on one socket, a subscription that is stopped, a token that does not count.
// Prints one JSON object: the name of each case and what came of it.
//   node operations.mjs ws://host:port/graphql <access token>
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [url, token] = process.argv.slice(2);
const connect = (authorization, options = {}) =>
  createClient({ url, webSocketImpl: WebSocket, connectionParams: { authorization }, retryAttempts: 0, ...options });

const run = (client, payload) =>
  new Promise((resolve) => {
    const results = [];
    client.subscribe(payload, {
      next: (result) => results.push(result),
      error: (error) => resolve({ results, refused: Array.isArray(error) ? error : { code: error.code } }),
      complete: () => resolve({ results }),
    });
  });

const client = connect(`Bearer ${token}`, { lazy: false });
const found = {};
found.query = await run(client, { query: '{ me { email } }' });
found.named = await run(client, {
  query: 'query A { me { id } } query B($n: Int) { alerts(first: $n) { nodes { id } } }',
  operationName: 'B',
  variables: { n: 2 },
});
found.syntax = await run(client, { query: '{ me {' });
found.unknownField = await run(client, { query: '{ nothing }' });
found.wrongVariable = await run(client, {
  query: 'query ($n: Int) { alerts(first: $n) { nodes { id } } }',
  variables: { n: 'two' },
});
found.nul = await run(client, {
  query: 'query ($id: ID!) { alert(id: $id) { id } }',
  variables: { id: 'a\u0000b' },
});
found.afterFailures = await run(client, { query: '{ me { email } }' });
found.sideBySide = await Promise.all(
  Array.from({ length: 20 }, () => run(client, { query: '{ serverInfo { version } }' })),
);

const counts = client.iterate({ query: 'subscription { alertCounts { total } }' });
found.firstOfSubscription = await counts.next();
await counts.return();
found.afterStop = await run(client, { query: '{ me { email } }' });

found.deadToken = await run(connect('Bearer nonsense'), { query: '{ me { email } }' });
found.nobody = await run(createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0 }), {
  query: '{ users { nodes { id } } }',
});
console.log(JSON.stringify(found));
process.exit(0);
