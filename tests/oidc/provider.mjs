// A certified OpenID provider with the people a test names: node provider.mjs <port> <settings as JSON>.
// Whoever signs in there types the name of one of them; a password is not asked for in earnest.
import Provider from "oidc-provider";

const port = Number(process.argv[2]);
const { client, people } = JSON.parse(process.argv[3]);

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: client.id,
      client_secret: client.secret,
      redirect_uris: client.callbacks,
      grant_types: ["authorization_code"],
      response_types: ["code"],
    },
  ],
  pkce: { required: () => true },
  cookies: { keys: ["of a provider that lives for one test"] },
  claims: {
    openid: ["sub"],
    email: ["email", "email_verified"],
    profile: ["given_name", "family_name"],
  },
  async findAccount(_context, sub) {
    if (!Object.hasOwn(people, sub)) return undefined;
    return { accountId: sub, claims: async () => ({ sub, ...people[sub] }) };
  },
});

provider.on("server_error", (_context, error) => console.error("server_error", error));
provider.on("grant.error", (_context, error) => console.error("grant.error", error.message, error.error_detail));
provider.on("authorization.error", (_context, error) => console.error("authorization.error", error.message));

provider.listen(port, "127.0.0.1", () => console.log(`listening ${port}`));
