// Calls of the public REST routes, with the reader's key.

import { askForKey, getKey } from "./key.js";

const PREFIX = document.body.dataset.api;
const LONGEST_ANSWER = 40_000;
const AGAIN = 3_000;

/** A refusal or an error, in the words of the API. */
export class Problem extends Error {
  constructor(status, body) {
    super(body?.detail ?? `The API answered ${status}.`);
    this.status = status;
    this.reason = body?.reason ?? "";
    /** `{ field, message }` of each field that is wrong. */
    this.problems = body?.errors ?? [];
  }
}

/** The API is away, or takes too long. */
export class NoAnswer extends Error {
  constructor(cause) {
    super("The API does not answer.", { cause });
  }
}

const answered = (waiting) =>
  waiting.catch((cause) => {
    throw new NoAnswer(cause);
  });

/** The address of a route: `at("/operations/", id, "/events")`. Ids may have any characters. */
export function at(path, id, rest = "") {
  return id === undefined ? path : `${path}${encodeURIComponent(id)}${rest}`;
}

/** Sends a request with the key. Asks for a key where one is needed, and sends it again. */
export async function send(method, path, { query, body, headers, signal, type } = {}) {
  const url = new URL(PREFIX + path, location.origin);
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== "" && value !== null && value !== undefined) url.searchParams.set(name, value);
  }
  for (;;) {
    const key = getKey();
    const asked = fetch(url, {
      method,
      headers: {
        ...(body !== undefined && { "Content-Type": type ?? "application/json" }),
        ...(key && { Authorization: `Bearer ${key}` }),
        ...headers,
      },
      body: body === undefined || type ? body : JSON.stringify(body),
      signal: signal ?? AbortSignal.timeout(LONGEST_ANSWER),
      // No cookie acts here, so no other site can act in the reader's name.
      credentials: "omit",
      cache: "no-store",
    });
    const answer = await answered(asked);
    if (answer.status !== 401) return answer;
    await askForKey(key ? "The API does not know this key, or no longer." : "");
  }
}

/** Sends a request and returns the answer's JSON. Throws a Problem if it is refused. */
export async function call(method, path, options) {
  const answer = await send(method, path, options);
  if (!answer.ok) throw await readProblem(answer);
  return answered(answer.json());
}

export const get = (path, query, options) => call("GET", path, { query, ...options });

/** Returns the text of an answer. Throws a Problem if it is refused. */
export async function getText(path, query) {
  const answer = await send("GET", path, { query });
  if (!answer.ok) throw await readProblem(answer);
  return answered(answer.text());
}

/** Whether another attempt may have an answer. What the API refuses, it refuses again. */
export const mayPass = (problem) => problem instanceof NoAnswer || problem.status > 500;

/**
 * Reads until there is an answer, or a problem that does not pass, which is thrown.
 *
 * @param read Reads once.
 * @param onProblem Is called with each problem that may pass.
 */
export async function insist(read, onProblem) {
  for (;;) {
    try {
      return await read();
    } catch (problem) {
      if (!mayPass(problem)) throw problem;
      onProblem(problem);
      await new Promise((resolve) => setTimeout(resolve, AGAIN));
    }
  }
}

export async function readProblem(answer) {
  return new Problem(answer.status, await answer.json().catch(() => null));
}

/**
 * A key under which a repeated request starts nothing twice.
 *
 * If it says what it starts, the id of the operation derives from it.
 */
export function makeIdempotencyKey(operationType) {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const random = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (!operationType) return random;
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  return `${operationType}-${time}-${random}`;
}
