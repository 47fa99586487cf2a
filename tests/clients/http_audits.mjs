// Runs every audit of graphql-http against the server named on the command line; prints one JSON line per audit.
import { serverAudits } from 'graphql-http';

for (const audit of serverAudits({ url: process.argv[2] })) {
  const result = await audit.fn();
  const { id, name, status, reason = null } = result;
  console.log(JSON.stringify({ id, name, status, reason }));
}
