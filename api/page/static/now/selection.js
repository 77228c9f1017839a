// What can be done with all ticked rows at once.

import { byId, h, replaceIfChanged } from "../shared/dom.js";
import { ACTIONS, doWith } from "../shared/operations.js";
import { act, mayAct } from "../shared/shell.js";

export class Selection {
  constructor(screen) {
    this.screen = screen;
    this.bar = byId("selection");
  }

  get ticked() {
    return [...this.screen.rows.values()].filter((row) => row.tick.checked && !row.element.hidden);
  }

  show() {
    const ticked = this.ticked;
    this.bar.hidden = ticked.length === 0;
    const fitting = Object.keys(ACTIONS).map((name) => [name, this.#choose(name).length]);
    replaceIfChanged(this.bar, [ticked.length, fitting], () => [
      h("p", {}, h("b", {}, String(ticked.length)), " ticked"),
      ...fitting.filter(([, number]) => number).map(([name, number]) => this.#makeButton(name, number)),
      h("button", { type: "button", class: "plain", onclick: () => this.clear() }, "Untick"),
    ]);
  }

  /** The ticked rows with which this may be done. */
  #choose(name) {
    return this.ticked.filter(({ data }) => ACTIONS[name].fits(data) && mayAct(this.screen.caller, name, data.owner));
  }

  clear() {
    for (const row of this.ticked) row.tick.checked = false;
    this.show();
  }

  #makeButton(name, number) {
    const action = ACTIONS[name];
    const button = h("button", { type: "button", class: action.danger ? "danger" : "" }, `${action.verb} ${number}`);
    button.addEventListener("click", () =>
      act(button, async () => {
        const rows = new Map(this.#choose(name).map((row) => [row.data.operation_id, row]));
        const answers = await doWith(name, [...rows.values()].map((row) => row.data), (data) => {
          if (name === "cancel") rows.get(data.operation_id).stopping();
        });
        if (answers) this.clear();
      }),
    );
    return button;
  }
}
