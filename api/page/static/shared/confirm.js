// A question before something that cannot be undone. It names what it will hit.

import { h } from "./dom.js";

const MOST_NAMED = 12;

/**
 * Asks, and resolves to the reason that was given, or null if nothing shall be done.
 *
 * @param question `{ title, names, verb, danger, askReason }`
 */
export function confirm({ title, names, verb, danger = false, askReason = false }) {
  return new Promise((resolve) => {
    const reason = h("input", { id: "confirm-reason", maxlength: 500, autocomplete: "off" });
    const hidden = names.length - MOST_NAMED;
    const dialog = h(
      "dialog",
      { "aria-labelledby": "confirm-title" },
      h(
        "form",
        { class: "stack" },
        h("h2", { id: "confirm-title" }, title),
        h(
          "ul",
          { class: "named" },
          names.slice(0, MOST_NAMED).map((name) => h("li", {}, name)),
          hidden > 0 && h("li", { class: "quiet" }, `and ${hidden} more`),
        ),
        askReason && h("label", { for: "confirm-reason" }, "Reason, for the record (optional)"),
        askReason && reason,
        h(
          "div",
          { class: "actions" },
          h("button", { type: "button", onclick: () => dialog.close() }, "Do nothing"),
          h("button", { class: danger ? "main danger" : "main" }, verb),
        ),
      ),
    );
    let answer = null;
    dialog.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      answer = reason.value.trim();
      dialog.close();
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(answer);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
