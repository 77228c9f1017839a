// The form that starts a research. It says what was understood, and what it costs, before it starts.

import { call, makeIdempotencyKey, get } from "../shared/api.js";
import { byId, h, setText, throttle } from "../shared/dom.js";
import { count, counted, ordinal } from "../shared/format.js";
import { act, say } from "../shared/shell.js";

const PAUSE = 350;
const NUMBERS = ["trials", "seed", "priority"];

/** Opens the form if the address asks for it: `/#start?brief=…&symbol=…`. */
export function openStartFormOfAddress(caller) {
  const [, query] = location.hash.match(/^#start\??(.*)$/) ?? [];
  if (query === undefined) return;
  history.replaceState(null, "", location.pathname + location.search);
  openStartForm(caller, Object.fromEntries(new URLSearchParams(query)));
}

export function openStartForm(caller, values = {}) {
  const form = new StartForm(caller, values);
  document.body.append(form.dialog);
  form.dialog.showModal();
  form.preview();
}

class StartForm {
  #asked = 0;
  #key = null;

  constructor(caller, values) {
    this.extra = values.features ? { features: values.features.split(",") } : {};
    this.understood = h("div", { class: "understood", "aria-live": "polite" });
    this.startButton = h("button", { class: "main", disabled: true }, "Start");
    this.strategies = h("datalist", { id: "start-strategies" });
    this.form = h(
      "form",
      { class: "start" },
      h("h2", { id: "start-title" }, "New research"),
      values.note && h("p", { class: "quiet" }, `To test: ${values.note}`),
      field("brief", "Goal, in words", h("textarea", { maxlength: 4000, placeholder: "Momentum on NASDAQ, daily, long only" })),
      h("p", { class: "quiet or" }, "or test one that exists:"),
      field("strategy", "Strategy file", h("input", { list: "start-strategies", maxlength: 64, autocomplete: "off" })),
      h(
        "div",
        { class: "fields" },
        field("symbol", "Symbol", h("input", { maxlength: 32, autocomplete: "off", spellcheck: false, placeholder: "As the goal says" })),
        field("timeframe", "Bars", h("input", { maxlength: 8, autocomplete: "off", placeholder: "As the goal says" })),
        field("trials", "Trials", h("input", { type: "number", min: 1, max: 10000, step: 1, placeholder: "12" })),
        field("priority", "Priority", makePriorities()),
      ),
      h(
        "details",
        {},
        h("summary", {}, "More"),
        h(
          "div",
          { class: "fields" },
          field("start_date", "First day", h("input", { type: "date" })),
          field("end_date", "Last day", h("input", { type: "date" })),
          field("seed", "Seed", h("input", { type: "number", min: 0, max: 2147483647, step: 1, placeholder: "Drawn" })),
          field("model", "Language model", h("input", { maxlength: 200, autocomplete: "off", placeholder: "None: a search" })),
          !caller.keys && field("owner", "Owner", h("input", { maxlength: 64, autocomplete: "off", placeholder: "anonymous" })),
          h("label", { class: "check" }, h("input", { type: "checkbox", name: "long_only" }), "Long only"),
        ),
      ),
      this.strategies,
      this.understood,
      h(
        "div",
        { class: "actions" },
        h("button", { type: "button", onclick: () => this.dialog.close() }, "Close"),
        this.startButton,
      ),
    );
    this.dialog = h("dialog", { class: "wide", "aria-labelledby": "start-title" }, this.form);
    this.dialog.addEventListener("close", () => this.dialog.remove());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.start();
    });
    const ask = throttle(PAUSE, () => this.preview());
    this.form.addEventListener("input", () => {
      this.startButton.disabled = true;
      ask();
    });
    this.#fill(values);
    this.#listStrategies();
  }

  #fill(values) {
    for (const [name, value] of Object.entries(values)) {
      const input = this.form.elements[name];
      if (!input) continue;
      if (input.type === "checkbox") input.checked = value === "true";
      else input.value = value;
      if (input.closest("details")) input.closest("details").open = true;
    }
  }

  async #listStrategies() {
    const { data } = await get("/strategies");
    this.strategies.append(...data.map((each) => h("option", { value: each.name })));
  }

  /** What is filled in. Empty fields are left out, so that the goal decides. */
  get request() {
    const request = { ...this.extra };
    for (const input of this.form.elements) {
      if (!input.name) continue;
      if (input.type === "checkbox") {
        if (input.checked) request[input.name] = true;
      } else if (input.value.trim()) {
        const value = input.value.trim();
        request[input.name] = NUMBERS.includes(input.name) ? Number(value) : value;
      }
    }
    if (request.priority === 3) delete request.priority;
    return request;
  }

  async preview() {
    this.#asked += 1;
    const asked = this.#asked;
    try {
      const preview = await call("POST", "/agent/preview", { body: this.request });
      if (asked !== this.#asked) return;
      this.#show(preview);
      this.startButton.disabled = false;
    } catch (problem) {
      if (asked !== this.#asked) return;
      this.#refuse(problem);
    }
  }

  #show({ sentence, warnings, cost }) {
    this.#mark([]);
    const market = `${cost.symbols.join(", ")}, ${cost.timeframe}`;
    this.understood.replaceChildren(
      h("h3", {}, "Understood"),
      h("p", {}, `${sentence}.`),
      ...warnings.map((warning) => h("p", { class: "warning" }, warning)),
      h("h3", {}, "Cost"),
      h(
        "p",
        {},
        `Up to ${counted(cost.trials, "trial")} on ${market}, after ${count(cost.trials_ever)} until now. `,
        `If it gets that far, this will be the ${ordinal(cost.look)} look at the holdout of ${market}.`,
      ),
    );
  }

  #refuse(problem) {
    this.#mark((problem.problems ?? []).map((each) => each.field));
    this.understood.replaceChildren(
      h("h3", {}, "This cannot start"),
      h("p", { class: "problem" }, problem.message),
    );
  }

  #mark(fields) {
    for (const input of this.form.elements) {
      if (input.name) input.toggleAttribute("aria-invalid", fields.includes(input.name));
    }
  }

  async start() {
    this.#key ??= makeIdempotencyKey("agent_research");
    const started = await act(this.startButton, () =>
      call("POST", "/agent/trigger", { body: this.request, headers: { "Idempotency-Key": this.#key } }),
    );
    // Another key: the same form may start another one, or a corrected one.
    this.#key = null;
    if (!started) return;
    this.dialog.close();
    say(`Started: ${started.understood.symbols.join(", ")}, ${started.understood.timeframe}.`);
    byId("content").focus();
  }
}

function field(name, label, input) {
  input.id = `start-${name}`;
  input.name = name;
  return h("div", { class: "field" }, h("label", { for: input.id }, label), input);
}

function makePriorities() {
  const names = { 1: "1, first", 2: "2", 3: "3, usual", 4: "4", 5: "5, last" };
  return h(
    "select",
    {},
    Object.entries(names).map(([value, name]) => h("option", { value, selected: value === "3" }, name)),
  );
}
