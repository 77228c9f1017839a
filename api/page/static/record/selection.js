// What can be done with all ticked experiments at once.

import { byId, h, replaceIfChanged } from "../shared/dom.js";
import { act, mayChange } from "../shared/shell.js";
import { tagAll } from "./annotate.js";
import { MOST_COMPARED } from "./comparison.js";
import { erase } from "./erase.js";

export class Selection {
  constructor(caller, experiments, comparison) {
    this.caller = caller;
    this.experiments = experiments;
    this.comparison = comparison;
    this.bar = byId("selection");
  }

  show() {
    const ticked = [...this.experiments.ticked.values()];
    const own = ticked.every((row) => mayChange(this.caller, row.owner));
    this.bar.hidden = ticked.length === 0;
    replaceIfChanged(this.bar, [...this.experiments.ticked.keys()], () => [
      h("p", {}, h("b", {}, String(ticked.length)), " ticked"),
      ticked.length > 1 &&
        ticked.length <= MOST_COMPARED &&
        this.#makeButton(`Compare ${ticked.length}`, "main", async () => this.comparison.open(ticked.map((row) => row.operation_id))),
      ticked.length > MOST_COMPARED && h("p", { class: "quiet" }, `At most ${MOST_COMPARED} are compared.`),
      own &&
        this.#makeButton("Tag", "", async () => {
          if (await tagAll(ticked)) await this.experiments.read();
        }),
      own && this.#makeButton("Delete artifacts", "danger", () => erase(ticked)),
      h("button", { type: "button", class: "plain", onclick: () => this.#clear() }, "Untick"),
    ]);
  }

  #makeButton(text, style, run) {
    const button = h("button", { type: "button", class: style }, text);
    button.addEventListener("click", () => act(button, run));
    return button;
  }

  #clear() {
    this.experiments.ticked.clear();
    for (const tick of document.querySelectorAll("#table input[type=checkbox]")) tick.checked = false;
    this.show();
  }
}
