// GraphiQL with a sign-in box. Over https and on loopback the tokens are in cookies that no script reads; over plain http,
// where browsers take no such cookie, they live in this tab only. The access token is renewed before it ends.
"use strict";
(() => {
  const ENDPOINT = location.pathname;
  const STORE = "tocsin.session";
  const RENEW_BEFORE_MS = 30_000;
  const BY_COOKIES = window.isSecureContext;
  const HEADERS = BY_COOKIES ? { "x-tocsin-session": "cookie" } : {};
  const element = (id) => document.getElementById(id);

  const USER = "user { name role }";
  const LOGIN = `mutation Login($input: LoginInput!) { login(input: $input) { __typename
    ... on LoginSuccess { accessToken refreshToken expiresAt ${USER} }
    ... on SecondFactorRequired { challenge methods passkeyOptions } ... on UserError { message } } }`;
  const COMPLETE = `mutation Complete($input: CompleteLoginInput!) { completeLogin(input: $input) { __typename
    ... on CompleteLoginSuccess { accessToken refreshToken expiresAt ${USER} } ... on UserError { message } } }`;
  const BEGIN_PASSKEY = `mutation BeginPasskey { beginPasskeySignIn(input: {}) { __typename
    ... on BeginPasskeySignInSuccess { passkey { challenge options } } ... on UserError { message } } }`;
  const FINISH_PASSKEY = `mutation FinishPasskey($input: FinishPasskeySignInInput!) { finishPasskeySignIn(input: $input) { __typename
    ... on FinishPasskeySignInSuccess { accessToken refreshToken expiresAt ${USER} } ... on UserError { message } } }`;
  const REFRESH = `mutation Refresh($input: RefreshSessionInput!) { refreshSession(input: $input) { __typename
    ... on RefreshSessionSuccess { accessToken refreshToken expiresAt ${USER} } ... on UserError { message } } }`;
  const ME = `{ me { name role } }`;
  const PROVIDERS = `{ identityProviders { label startUrl } }`;
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
  // A sign-in that waits for its second factor.
  let pending = null;

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
        ...HEADERS,
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
    renewing ??= ask(REFRESH, { input: BY_COOKIES ? {} : { refreshToken: session.refreshToken } })
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
    return session && !BY_COOKIES ? `Bearer ${session.accessToken}` : null;
  }

  // What is typed as the code: six digits of an app, or one of the codes on paper.
  function typedProof() {
    const code = element("code").value.trim();
    if (!code) return {};
    return /^[\d\s]{6,7}$/.test(code) ? { totpCode: code } : { recoveryCode: code };
  }

  function enter(answer) {
    if (!answer.__typename.endsWith("Success")) throw new Error(answer.message);
    pending = null;
    element("password").value = "";
    element("code").value = "";
    keep(answer);
    start();
  }

  async function withButton(event, act) {
    event.preventDefault();
    const button = event.submitter ?? event.currentTarget;
    button.disabled = true;
    try {
      await act();
    } catch (error) {
      show(error.message);
    } finally {
      button.disabled = false;
    }
  }

  async function byPassword() {
    const input = { email: element("email").value, password: element("password").value, ...typedProof() };
    const { login } = await ask(LOGIN, { input });
    if (login.__typename !== "SecondFactorRequired") return enter(login);
    pending = login;
    const ways = { TOTP: "type the code of your app", RECOVERY_CODE: "type a recovery code", PASSKEY: "use your passkey" };
    show(`One step more: ${login.methods.map((method) => ways[method]).join(", or ")}, and sign in again.`);
    element("code").focus();
  }

  async function answerOfPasskey(options) {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
    return (await navigator.credentials.get({ publicKey })).toJSON();
  }

  async function byPasskey() {
    if (pending?.passkeyOptions) {
      const input = { challenge: pending.challenge, passkey: await answerOfPasskey(pending.passkeyOptions) };
      return enter((await ask(COMPLETE, { input })).completeLogin);
    }
    const { beginPasskeySignIn: begun } = await ask(BEGIN_PASSKEY, {});
    if (!begun.passkey) throw new Error(begun.message);
    const input = { challenge: begun.passkey.challenge, credential: await answerOfPasskey(begun.passkey.options) };
    return enter((await ask(FINISH_PASSKEY, { input })).finishPasskeySignIn);
  }

  async function signOut() {
    const header = await authorization().catch(() => null);
    keep(null);
    if (header || BY_COOKIES) await ask(LOGOUT, {}, header?.slice("Bearer ".length)).catch(() => undefined);
    start();
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
        const headers = { ...options.headers, ...HEADERS, ...(header ? { authorization: header } : {}) };
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

  // Whoever comes back from a provider, or opens a second tab, is signed in already.
  async function recall() {
    const { me } = await ask(ME, {});
    if (me) return keep({ user: me, expiresAt: new Date(0).toISOString() });
    const { refreshSession } = await ask(REFRESH, { input: {} });
    if (refreshSession.__typename === "RefreshSessionSuccess") keep(refreshSession);
  }

  async function showProviders() {
    const { identityProviders } = await ask(PROVIDERS, {});
    for (const { label, startUrl } of identityProviders) {
      const link = document.createElement("a");
      link.href = `${startUrl}?return_to=${encodeURIComponent(ENDPOINT)}`;
      link.textContent = `Sign in with ${label}`;
      element("sign-in").append(link);
    }
  }

  element("sign-in").addEventListener("submit", (event) => withButton(event, byPassword));
  element("passkey").addEventListener("click", (event) => withButton(event, byPasskey));
  element("passkey").hidden = !globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON;
  element("sign-out").addEventListener("click", signOut);
  show();
  (async () => {
    if (BY_COOKIES) {
      if (!session) await recall().catch(() => undefined);
      await showProviders().catch(() => undefined);
    }
    start();
  })();
})();
