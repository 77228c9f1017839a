// The filters: in the form, in the address, and as parameters of the API.

import { byId, setText, throttle } from "../shared/dom.js";
import { readAddress, writeAddress } from "../shared/address.js";

const NAMES = ["text", "status", "symbol", "owner"];
const PAUSE = 300;

export class Filters {
  /** @param onChange Called with whether the API has to be asked anew. */
  constructor(onChange) {
    this.form = byId("filters");
    this.values = readAddress(NAMES);
    this.#fill();
    const changed = throttle(PAUSE, () => this.#take(onChange));
    this.form.addEventListener("input", changed);
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.form.addEventListener("reset", () => setTimeout(() => this.#take(onChange)));
    addEventListener("popstate", () => {
      this.values = readAddress(NAMES);
      this.#fill();
      onChange(true);
    });
  }

  /** Parameters of the list and of the feed. Text is not among them: it is searched here. */
  get query() {
    const { status, symbol, owner } = this.values;
    if (status === "active") return { active_only: true, symbol, owner };
    return { status, symbol, owner };
  }

  get text() {
    return this.values.text;
  }

  get any() {
    return NAMES.some((name) => this.values[name]);
  }

  sayProblem(text) {
    setText(byId("filter-problem"), text);
  }

  #fill() {
    for (const name of NAMES) this.form.elements[name].value = this.values[name];
  }

  #take(onChange) {
    const before = JSON.stringify(this.query);
    for (const name of NAMES) this.values[name] = this.form.elements[name].value.trim();
    writeAddress(this.values);
    onChange(JSON.stringify(this.query) !== before);
  }
}
