// Who are we? A sign-in whose access token is renewed before it ends, and a way to ask as that person.

import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { print } from "graphql";
import { RefreshDocument, SignInDocument } from "./generated.js";

// Renewed this long before it ends, since a request is on its way for a while.
const EARLY_MS = 30_000;

interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expiresAt: string;
}

/** The API's answer is one of its errors; the text is for people. */
export class Refused extends Error {}

/** Time mends it: the server or its database is away, or too much was asked within a minute. */
export class Unavailable extends Error {}

export const WAIT_MS = 1_000;
const PASSING_STATUS = new Set([429, 502, 503, 504]);
const PASSING_CODES = new Set(["OVERLOADED", "RATE_LIMITED", "TIMEOUT"]);

interface AnswerError {
  readonly message: string;
  readonly extensions?: { readonly code?: unknown } | undefined;
}

/** An answer's errors as one: of our mistakes or of the session's end, which nothing mends, or of what passes. */
export function asError(errors: readonly AnswerError[]): Error {
  const message = errors.map((error) => error.message).join("; ");
  const isPassing = errors.every((error) => PASSING_CODES.has(String(error.extensions?.code)));
  return isPassing ? new Unavailable(message) : new Refused(message);
}

/** A signed-in person. The refresh token is good once: two programs need two sessions. */
export class Session {
  private constructor(
    readonly url: string,
    private tokens: Tokens,
  ) {}

  /** Begin a session. */
  static async signIn(url: string, email: string, password: string): Promise<Session> {
    const { login } = await post(url, SignInDocument, { input: { email, password } });
    if (login.__typename !== "LoginSuccess") throw new Refused(login.message);
    return new Session(url, login);
  }

  /** The header's value, with a token that still lives. */
  async authorization(): Promise<string> {
    if (Date.now() > Date.parse(this.tokens.expiresAt) - EARLY_MS) {
      const input = { refreshToken: this.tokens.refreshToken };
      const { refreshSession } = await post(this.url, RefreshDocument, { input });
      if (refreshSession.__typename !== "RefreshSessionSuccess") throw new Refused(refreshSession.message);
      this.tokens = refreshSession;
    }
    return `Bearer ${this.tokens.accessToken}`;
  }

  /** Run a query or a mutation. */
  async ask<Result, Variables>(document: TypedDocumentNode<Result, Variables>, variables: Variables): Promise<Result> {
    return post(this.url, document, variables, { authorization: await this.authorization() });
  }

  /** Run a query, again and again while the server is away or says that it cannot just now. */
  async read<Result, Variables>(query: TypedDocumentNode<Result, Variables>, variables: Variables): Promise<Result> {
    for (;;) {
      try {
        return await this.ask(query, variables);
      } catch (error) {
        // A TypeError is a request that did not get through.
        if (!(error instanceof Unavailable || error instanceof TypeError)) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    }
  }
}

async function post<Result, Variables>(
  url: string,
  document: TypedDocumentNode<Result, Variables>,
  variables: Variables,
  headers: Record<string, string> = {},
): Promise<Result> {
  const response = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/graphql-response+json", ...headers },
    body: JSON.stringify({ query: print(document), variables }),
  });
  // A proxy before a server that restarts answers with a page of its own.
  if (PASSING_STATUS.has(response.status)) throw new Unavailable(`HTTP ${response.status}`);
  const answer = (await response.json()) as { data?: Result | null; errors?: AnswerError[] };
  if (answer.errors?.length) throw asError(answer.errors);
  if (!answer.data) throw new Error(`HTTP ${response.status}`);
  return answer.data;
}
