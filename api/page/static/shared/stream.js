// Server-sent events that recover: after a restart of the API, a night, or a key that has changed.
//
// The browser's own EventSource cannot send a key, so the stream is read from an answer.

import { Problem, readProblem, send } from "./api.js";
import { sayConnected } from "./shell.js";

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 8_000;
// The API sends something at least every 15 seconds.
const LONGEST_SILENCE = 40_000;
// A browser opens six connections to a host. A page that nobody sees keeps none.
const HIDDEN_FOR = 10_000;

/**
 * Follows a route until it says that nothing follows.
 *
 * @param path The route, or a function that returns it.
 * @param query Parameters, or a function that returns them.
 * @param handlers `event(name, data)` for each event; `open()` for each connection, in which a
 *   screen reads what it may have missed; `refused(problem)` if the route refuses for good.
 * @returns `stop()`, and `restart()` for other parameters.
 */
export function follow(path, query, handlers) {
  const life = new AbortController();
  let connection = new AbortController();
  let hiddenTimer = null;

  const visibility = () => {
    clearTimeout(hiddenTimer);
    if (document.hidden) hiddenTimer = setTimeout(() => connection.abort("hidden"), HIDDEN_FOR);
  };
  document.addEventListener("visibilitychange", visibility, { signal: life.signal });

  const run = async () => {
    let pause = FIRST_PAUSE;
    while (!life.signal.aborted) {
      await untilVisible(life.signal);
      connection = new AbortController();
      const began = Date.now();
      try {
        if ((await readOnce(path, query, handlers, connection)) === "end") return;
      } catch (error) {
        if (error instanceof Problem && error.status < 500) {
          sayConnected(true);
          handlers.refused?.(error);
          return;
        }
      }
      if (life.signal.aborted) return;
      if (connection.signal.reason === "restart") continue;
      if (document.hidden) continue;
      sayConnected(false);
      // A connection that has lasted was a good one.
      pause = Date.now() - began > LONGEST_PAUSE ? FIRST_PAUSE : Math.min(2 * pause, LONGEST_PAUSE);
      await sleep(pause * (0.7 + 0.6 * Math.random()), life.signal);
    }
  };
  run();
  return {
    stop() {
      life.abort();
      connection.abort("stop");
    },
    restart() {
      connection.abort("restart");
    },
  };
}

async function readOnce(path, query, handlers, connection) {
  const value = (given) => (typeof given === "function" ? given() : given);
  const answer = await send("GET", value(path), {
    query: value(query),
    headers: { Accept: "text/event-stream" },
    signal: connection.signal,
  });
  if (!answer.ok) throw await readProblem(answer);
  sayConnected(true);
  handlers.open?.();
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const silence = setTimeout(() => connection.abort("silence"), LONGEST_SILENCE);
    const { done, value: text } = await reader.read().finally(() => clearTimeout(silence));
    if (done) return "closed";
    const blocks = (rest + text).split(/\r?\n\r?\n/);
    rest = blocks.pop();
    for (const block of blocks) {
      const event = parse(block);
      if (event === null) continue;
      handlers.event(event.name, event.data);
      if (event.name === "end") {
        connection.abort("end");
        return "end";
      }
    }
  }
}

function parse(block) {
  let name = "message";
  const data = [];
  for (const line of block.split(/\r?\n/)) {
    if (line.startsWith("event:")) name = line.slice(6).trim();
    else if (line.startsWith("data:")) data.push(line.slice(5).trimStart());
  }
  return data.length ? { name, data: JSON.parse(data.join("\n")) } : null;
}

function untilVisible(signal) {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    const look = () => {
      if (document.hidden && !signal.aborted) return;
      document.removeEventListener("visibilitychange", look);
      resolve();
    };
    document.addEventListener("visibilitychange", look);
    signal.addEventListener("abort", look, { once: true });
  });
}

function sleep(milliseconds, signal) {
  return new Promise((resolve) => {
    const listening = new AbortController();
    const wake = () => {
      clearTimeout(timer);
      listening.abort();
      resolve();
    };
    const timer = setTimeout(wake, milliseconds);
    // The network is back, or somebody looks again: no reason to wait.
    addEventListener("online", wake, { signal: listening.signal });
    document.addEventListener("visibilitychange", wake, { signal: listening.signal });
    signal.addEventListener("abort", wake, { signal: listening.signal });
  });
}
