// The reader's API key. It stays in this tab's session: no cookie, nothing on the disk.

import { h } from "./dom.js";

const NAME = "ktrdr.key";
let asking = null;

export const getKey = () => sessionStorage.getItem(NAME) ?? "";

export function forgetKey() {
  sessionStorage.removeItem(NAME);
}

/** Asks for a key. Requests that need one at the same time wait for the same answer. */
export function askForKey(problem = "") {
  asking ??= ask(problem).finally(() => {
    asking = null;
  });
  return asking;
}

function ask(problem) {
  return new Promise((resolve) => {
    const input = h("input", {
      id: "key-input",
      type: "password",
      autocomplete: "off",
      spellcheck: false,
      required: true,
      "aria-describedby": "key-help",
    });
    const form = h(
      "form",
      { class: "stack" },
      h("h2", { id: "key-title" }, "This API needs a key"),
      problem && h("p", { class: "problem", role: "alert" }, problem),
      h("label", { for: "key-input" }, "Key"),
      input,
      h(
        "p",
        { id: "key-help", class: "quiet" },
        "It stays in this tab until you close it. ",
        h("code", {}, "ktrdr admin keys add"),
        " makes one.",
      ),
      h("div", { class: "actions" }, h("button", { class: "main" }, "Use this key")),
    );
    const dialog = h("dialog", { "aria-labelledby": "key-title" }, form);
    // Without a key there is nothing to see behind it.
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const key = input.value.trim();
      // A header cannot carry other characters, and no key has them.
      if (!/^[\x21-\x7e]+$/.test(key)) return input.setCustomValidity("A key has no spaces.");
      sessionStorage.setItem(NAME, key);
      dialog.close();
      dialog.remove();
      resolve();
    });
    input.addEventListener("input", () => input.setCustomValidity(""));
    document.body.append(dialog);
    dialog.showModal();
    input.focus();
  });
}
