// The table of experiments. Filters, order, page and comparison live in the address.

import { get } from "../shared/api.js";
import { readAddress, writeAddress } from "../shared/address.js";
import { byId, h, replaceIfChanged, setText, throttle } from "../shared/dom.js";
import { count, counted, moment, number, percent, utc, words } from "../shared/format.js";
import { mayChange } from "../shared/shell.js";
import { annotate } from "./annotate.js";

const PAGE = 50;
const PAUSE = 300;
const FILTERS = ["text", "view", "verdict", "status", "tag", "symbol", "owner"];
const NAMES = [...FILTERS, "sort", "order", "offset"];
// The leaderboard ranks completed researches against each other. Any other filter would change the
// question that it answers.
const NOT_OF_RANKING = ["text", "verdict", "status", "tag"];

// The order that a column begins with is the one in which the best or the newest comes first.
const COLUMNS = [
  { title: "Strategy", sort: "strategy_name", rising: true, cell: showWhat },
  { title: "Bars", sort: "symbol", rising: true, class: "bars", cell: (row) => `${row.symbol} ${row.timeframe}` },
  { title: "Owner", sort: "owner", rising: true, cell: (row) => row.owner },
  { title: "Verdict", sort: "verdict", rising: true, cell: showVerdict },
  { title: "Sharpe", sort: "sharpe", number: true, cell: (row) => number(row.sharpe) },
  { title: "95 %", number: true, cell: showInterval },
  { title: "Deflated", sort: "deflated_sharpe", number: true, cell: (row) => percent(row.deflated_sharpe) },
  { title: "Walk-forward", sort: "development_sharpe", number: true, cell: (row) => number(row.development_sharpe) },
  { title: "Return", sort: "total_return", number: true, cell: (row) => percent(row.total_return, 1) },
  { title: "Trials", number: true, cell: (row) => (row.trials_ever === null ? number(null) : count(row.trials_ever)) },
  { title: "Ended", sort: "finished_at", cell: (row) => h("time", { datetime: row.finished_at, title: utc(row.finished_at) }, moment(row.finished_at)) },
];

export class Experiments {
  #reads = 0;

  constructor(caller, onTick) {
    this.caller = caller;
    this.onTick = onTick;
    this.ticked = new Map();
    this.form = byId("filters");
    this.body = document.querySelector("#table tbody");
    this.values = readAddress(NAMES);
    this.#fill();
    const changed = throttle(PAUSE, () => this.#take());
    this.form.addEventListener("input", changed);
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.form.addEventListener("reset", () => setTimeout(() => this.#take()));
    byId("earlier").addEventListener("click", () => this.#turn(-PAGE));
    byId("later").addEventListener("click", () => this.#turn(PAGE));
    this.#showHead();
  }

  get #ranked() {
    return this.values.view === "rank";
  }

  get #offset() {
    return Math.max(0, Number.parseInt(this.values.offset, 10) || 0);
  }

  async read() {
    const turn = ++this.#reads;
    const { symbol, owner, text, verdict, status, tag, sort, order } = this.values;
    const page = { symbol, owner, limit: PAGE, offset: this.#offset };
    const asked = this.#ranked
      ? get("/leaderboard", page)
      : get("/experiments", { ...page, text, verdict, status, tag, sort, descending: order === "rising" ? false : undefined });
    try {
      const answer = await asked;
      // An earlier question may be answered later.
      if (turn === this.#reads) this.#show(answer);
      if (turn === this.#reads) setText(byId("filter-problem"), "");
    } catch (error) {
      if (turn === this.#reads) setText(byId("filter-problem"), error.message);
    }
  }

  #show({ data, total_count: total }) {
    const first = this.#offset;
    replaceIfChanged(this.body, [this.values.view, first, data], () => data.map((row, index) => this.#makeRow(row, first + index + 1)));
    const none = byId("nothing");
    none.hidden = data.length > 0;
    setText(none, FILTERS.some((name) => this.values[name]) || first ? "Nothing matches these filters." : "No research has ended yet.");
    setText(byId("shown"), data.length ? `${count(first + 1)} to ${count(first + data.length)} of ${counted(total, "experiment")}` : "");
    byId("earlier").disabled = first === 0;
    byId("later").disabled = first + data.length >= total;
  }

  #makeRow(row, rank) {
    const tick = h("input", {
      type: "checkbox",
      "aria-label": `Tick ${row.strategy_name ?? row.operation_id}, ${row.symbol} ${row.timeframe}, ${row.operation_id}`,
      onchange: () => {
        if (tick.checked) this.ticked.set(row.operation_id, row);
        else this.ticked.delete(row.operation_id);
        this.onTick();
      },
    });
    tick.checked = this.ticked.has(row.operation_id);
    if (tick.checked) this.ticked.set(row.operation_id, row);
    return h(
      "tr",
      { "data-id": row.operation_id },
      h("td", {}, tick),
      this.#ranked && h("td", { class: "number" }, count(rank)),
      COLUMNS.map((column) => h("td", { class: column.number ? "number" : column.class }, column.cell(row))),
      h("td", {}, this.#showNotes(row)),
    );
  }

  #showNotes(row) {
    const tags = row.tags.map((tag) =>
      h("button", { type: "button", class: "chip tag", title: `Only experiments tagged ${tag}`, onclick: () => this.filterBy({ tag, view: "" }) }, tag),
    );
    const edit = h(
      "button",
      {
        type: "button",
        class: "small plain",
        "aria-label": `${row.note ? "Edit" : "Add a note"}: ${row.strategy_name ?? "no strategy"}, ${row.operation_id}`,
        onclick: async () => {
          if (await annotate(row)) await this.read();
        },
      },
      row.note ? "Edit" : "Add a note",
    );
    return h("div", { class: "notes" }, tags, row.note && h("p", {}, row.note), mayChange(this.caller, row.owner) && edit);
  }

  filterBy(values) {
    Object.assign(this.values, values, { offset: "" });
    this.#fill();
    this.#apply();
  }

  #fill() {
    for (const name of FILTERS) this.form.elements[name].value = this.values[name];
    for (const name of NOT_OF_RANKING) this.form.elements[name].disabled = this.#ranked;
  }

  #take() {
    for (const name of FILTERS) this.values[name] = this.form.elements[name].value.trim();
    this.values.offset = "";
    this.#fill();
    this.#apply();
  }

  #turn(by) {
    this.values.offset = String(Math.max(0, this.#offset + by) || "");
    this.#apply();
  }

  #sortBy(column) {
    const again = this.#sorted(column);
    const rising = again ? this.values.order !== "rising" : Boolean(column.rising);
    Object.assign(this.values, { sort: column.sort, order: rising ? "rising" : "", offset: "" });
    this.#apply();
    document.querySelector(`#table [data-sort="${column.sort}"]`).focus();
  }

  #sorted(column) {
    return !this.#ranked && column.sort === (this.values.sort || "finished_at");
  }

  #apply() {
    writeAddress(this.values);
    this.#showHead();
    this.read();
  }

  #showHead() {
    const rising = this.values.order === "rising";
    const heads = COLUMNS.map((column) => {
      const direction = this.#sorted(column) ? (rising ? "ascending" : "descending") : null;
      const sign = direction && h("span", { "aria-hidden": "true" }, rising ? "↑" : "↓");
      const title =
        column.sort && !this.#ranked
          ? h("button", { type: "button", class: "sort", "data-sort": column.sort, onclick: () => this.#sortBy(column) }, column.title, sign)
          : column.title;
      return h("th", { scope: "col", class: column.number ? "number" : null, "aria-sort": direction }, title);
    });
    document
      .querySelector("#table thead")
      .replaceChildren(
        h(
          "tr",
          {},
          h("td", {}, h("span", { class: "unseen" }, "Ticked")),
          this.#ranked && h("th", { scope: "col", class: "number" }, "Rank"),
          heads,
          h("th", { scope: "col" }, "Tags and note"),
        ),
      );
  }
}

function showWhat(row) {
  const strategy = row.strategy_name ?? row.operation_id;
  return h(
    "div",
    {},
    h("a", { class: "brief", href: `/researches/${encodeURIComponent(row.operation_id)}` }, row.brief || strategy),
    row.brief && h("p", { class: "quiet" }, strategy),
  );
}

const CLASSES = { promising: "good", mediocre: "warn", poor: "bad", failed: "bad", cancelled: "warn" };

function showVerdict(row) {
  const verdict = row.verdict ?? row.status;
  return h("span", { class: `chip ${CLASSES[verdict] ?? ""}` }, words(verdict));
}

function showInterval(row) {
  return row.sharpe_low === null ? number(null) : `${number(row.sharpe_low)} to ${number(row.sharpe_high)}`;
}
