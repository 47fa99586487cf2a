// GraphiQL with a sign-in box. The tokens live in this tab only; the access token is renewed before it ends.
"use strict";
(() => {
  const ENDPOINT = location.pathname;
  const STORE = "tocsin.session";
  const RENEW_BEFORE_MS = 30_000;
  const element = (id) => document.getElementById(id);

  const USER = "user { name role }";
  const LOGIN = `mutation Login($input: LoginInput!) { login(input: $input) { __typename
    ... on LoginSuccess { accessToken refreshToken expiresAt ${USER} } ... on UserError { message } } }`;
  const REFRESH = `mutation Refresh($input: RefreshSessionInput!) { refreshSession(input: $input) { __typename
    ... on RefreshSessionSuccess { accessToken refreshToken expiresAt ${USER} } ... on UserError { message } } }`;
  const LOGOUT = "mutation Logout { logout(input: {}) { __typename } }";

  const WELCOME = `# Sign in above, then press play.

query WorstAndNewest {
  me {
    name
    role
  }
  alerts(
    filter: { isOpen: true }
    orderBy: { field: SEVERITY }
    first: 10
  ) {
    nodes {
      id
      title
      severity
      status
      occurrences
      lastSeenAt
    }
  }
}

# Runs until stopped: post an alert and see it.
subscription Live {
  alertEvents {
    ... on AlertEvent {
      kind
      occurredAt
      alert {
        title
        severity
        status
      }
    }
  }
}
`;

  let session = read();
  let renewing = null;

  function read() {
    try {
      return JSON.parse(sessionStorage.getItem(STORE));
    } catch {
      return null;
    }
  }

  function keep(next) {
    session = next;
    if (next) sessionStorage.setItem(STORE, JSON.stringify(next));
    else sessionStorage.removeItem(STORE);
    show();
  }

  function show(problem = "") {
    element("sign-in").hidden = Boolean(session);
    element("signed-in").hidden = !session;
    element("who").textContent = session ? `${session.user.name} · ${session.user.role.toLowerCase()}` : "";
    element("problem").textContent = problem;
  }

  async function ask(query, variables, token) {
    const response = await fetch(ENDPOINT, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json",
        ...(token ? { authorization: `Bearer ${token}` } : {}),
      },
      body: JSON.stringify({ query, variables }),
    });
    const answer = await response.json();
    if (answer.errors) throw new Error(answer.errors[0].message);
    return answer.data;
  }

  // One renewal at a time: a refresh token counts once.
  function renew() {
    renewing ??= ask(REFRESH, { input: { refreshToken: session.refreshToken } })
      .then(({ refreshSession }) => {
        if (refreshSession.__typename === "RefreshSessionSuccess") keep(refreshSession);
        else {
          keep(null);
          show(refreshSession.message);
        }
      })
      .finally(() => { renewing = null; });
    return renewing;
  }

  async function authorization() {
    if (session && Date.parse(session.expiresAt) - Date.now() < RENEW_BEFORE_MS) await renew();
    return session ? `Bearer ${session.accessToken}` : null;
  }

  async function signIn(event) {
    event.preventDefault();
    const button = event.submitter ?? element("sign-in").querySelector("button");
    button.disabled = true;
    try {
      const input = { email: element("email").value, password: element("password").value };
      if (element("code").value) input.totpCode = element("code").value;
      const { login } = await ask(LOGIN, { input });
      if (login.__typename !== "LoginSuccess") throw new Error(login.message);
      element("password").value = "";
      element("code").value = "";
      keep(login);
      start();
    } catch (error) {
      show(error.message);
    } finally {
      button.disabled = false;
    }
  }

  async function signOut() {
    const token = await authorization().catch(() => null);
    keep(null);
    start();
    if (token) await ask(LOGOUT, {}, token.slice("Bearer ".length)).catch(() => undefined);
  }

  function fetcher() {
    const socket = graphqlWs.createClient({
      url: location.href.replace(/^http/, "ws").split(/[?#]/)[0],
      lazy: true,
      connectionParams: async () => {
        const header = await authorization();
        return header ? { authorization: header } : {};
      },
    });
    return GraphiQL.createFetcher({
      url: ENDPOINT,
      wsClient: socket,
      fetch: async (url, options) => {
        const header = await authorization();
        const headers = { ...options.headers, ...(header ? { authorization: header } : {}) };
        return fetch(url, { ...options, headers });
      },
    });
  }

  function App({ fetcher }) {
    const [query, setQuery] = React.useState(undefined);
    const explorer = GraphiQLPluginExplorer.useExplorerPlugin({ query: query ?? "", onEdit: setQuery });
    return React.createElement(GraphiQL, {
      fetcher,
      query,
      onEditQuery: setQuery,
      defaultQuery: WELCOME,
      plugins: [explorer],
      isHeadersEditorEnabled: false,
      defaultEditorToolsVisibility: false,
    });
  }

  // A new fetcher makes GraphiQL read the schema anew, and ends what the former person followed.
  function start() {
    ReactDOM.render(React.createElement(App, { fetcher: fetcher() }), element("graphiql"));
  }

  element("sign-in").addEventListener("submit", signIn);
  element("sign-out").addEventListener("click", signOut);
  show();
  start();
})();
