// What the official client of GraphQL over server-sent events makes of a server: a query, refusals, a subscription that
// is stopped by its reader. Prints one JSON object: the name of each case and what came of it.
//   node events.mjs http://host:port/graphql <access token>
import { createClient } from 'graphql-sse';

const [url, token] = process.argv.slice(2);
const connect = (authorization) =>
  createClient({ url, retryAttempts: 0, headers: authorization ? { authorization } : {} });

const run = (client, payload) =>
  new Promise((resolve) => {
    const results = [];
    client.subscribe(payload, {
      next: (result) => results.push(result),
      error: (error) => resolve({ results, failed: String(error.message ?? error) }),
      complete: () => resolve({ results }),
    });
  });

const client = connect(`Bearer ${token}`);
const found = {};
found.query = await run(client, { query: '{ me { email } }' });
found.syntax = await run(client, { query: '{ me {' });
found.unknownField = await run(client, { query: '{ nothing }' });
found.nobody = await run(connect(null), { query: '{ users { nodes { id } } }' });
found.sideBySide = await Promise.all(Array.from({ length: 10 }, () => run(client, { query: '{ me { email } }' })));

const counts = client.iterate({ query: 'subscription { alertCounts { total } }' });
found.firstOfSubscription = (await counts.next()).value;
await counts.return();
found.afterStop = await run(client, { query: '{ me { email } }' });
console.log(JSON.stringify(found));
process.exit(0);
