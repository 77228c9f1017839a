// What every screen has: the key and what it may see, the state of the connection, messages.

import { get, insist, mayPass } from "./api.js";
import { byId, h, setText } from "./dom.js";
import { forgetKey } from "./key.js";

const SECONDS_SHOWN = 8;

/** Shows whose key this is. Returns `{ keys, name, owner, scopes }`. */
export async function showCaller() {
  const caller = (await insist(() => get("/whoami"), () => sayConnected(false))).data;
  const button = byId("key");
  if (!caller.keys) return caller;
  setText(button, `${caller.name} · ${describeSight(caller)}`);
  button.title = "Forget this key, and ask for another";
  button.hidden = false;
  button.onclick = () => {
    forgetKey();
    location.reload();
  };
  return caller;
}

/** What a key may see, in a few words. */
export function describeSight(caller) {
  const has = (scope) => caller.scopes.includes(scope) || caller.scopes.includes("admin");
  if (caller.scopes.includes("admin")) return "sees and does everything";
  const sight = has("read") ? "sees everything" : has("run") ? `sees what belongs to ${caller.owner}` : "sees nothing";
  const acts = [has("run") && "starts", has("cancel") && "cancels everything"].filter(Boolean);
  return [sight, ...acts].join(", ");
}

/** Whether a caller may start, and whether it may cancel at all. */
export const may = (caller, ...scopes) =>
  scopes.some((scope) => caller.scopes.includes(scope)) || caller.scopes.includes("admin");

/** Whether a caller may change what belongs to an owner. Only an administrator changes what others have. */
export const mayChange = (caller, owner) => may(caller, "admin") || (may(caller, "run") && (!caller.keys || caller.owner === owner));

/** Whether a caller may cancel what belongs to an owner. */
export const mayCancel = (caller, owner) => may(caller, "cancel") || mayChange(caller, owner);

/** Whether a caller may do what an action of this name does with an operation of an owner. */
export const mayAct = (caller, name, owner) => (name === "cancel" ? mayCancel : mayChange)(caller, owner);

export function sayConnected(connected) {
  const place = byId("connection");
  setText(place, connected ? "live" : "reconnecting");
  place.dataset.state = connected ? "live" : "lost";
}

/** Shows a message for a while. Errors stay until they are closed. */
export function say(text, { error = false } = {}) {
  const close = h("button", { type: "button", class: "plain", "aria-label": "Close" }, "×");
  const message = h("div", { class: error ? "message problem" : "message" }, h("p", {}, text), close);
  close.addEventListener("click", () => message.remove());
  byId("messages").append(message);
  if (!error) setTimeout(() => message.remove(), 1000 * SECONDS_SHOWN);
  return message;
}

let late = null;

/** Says why something is not there yet that is read until there is an answer. */
export function sayLate(problem) {
  if (mayPass(problem) && !late?.isConnected) late = say(problem.message);
}

/** Runs what a button does, and says what went wrong. The button waits meanwhile. */
export async function act(button, run) {
  button.disabled = true;
  try {
    return await run();
  } catch (error) {
    say(error.message, { error: true });
    return undefined;
  } finally {
    button.disabled = false;
  }
}

// What nobody has caught is said, too.
addEventListener("unhandledrejection", (event) => say(event.reason?.message ?? String(event.reason), { error: true }));
