// The table of watches: where each strategy stands, and the evidence on a thumbnail.

import { at, call, get } from "../shared/api.js";
import { confirm } from "../shared/confirm.js";
import { Details } from "../shared/details.js";
import { byId, h, setText } from "../shared/dom.js";
import { count, counted, moment, utc } from "../shared/format.js";
import { Lines } from "../shared/lines.js";
import { act, mayCancel, mayChange, say } from "../shared/shell.js";
import { describeWatch, formatEvidence, makeThumbnail, THUMBNAIL_POINTS } from "./evidence.js";

const PAGE = 20;
const MOST = 200;
const MOST_NAMED = 5;
const SOON = 1000;
// A look that takes longer is seen with the next reading.
const LONGEST_LOOK = 60_000;
const KIND = { watching: "live", confirmed: "good", withdrawn: "bad", stopping: "warn", cancelled: "warn", failed: "bad" };

const isWatching = (row) => row.status === "running";

export class Watches {
  #limit = PAGE;
  #rows = new Map();
  #looks = new Map();
  #timer = null;

  /** @param chosen `{ owner }`, whose watches are shown. */
  constructor(caller, chosen, evidence) {
    this.caller = caller;
    this.chosen = chosen;
    this.evidence = evidence;
    this.curves = new Details(
      async (row) => (await get(at("/watches/", row.research_id, "/curve"), { limit: THUMBNAIL_POINTS })).data.points,
      () => this.#show(),
    );
    this.lines = new Lines(byId("watch-rows"), (row) => row.research_id, this.#makeColumns());
    byId("more-watches").addEventListener("click", () => {
      this.#limit = MOST;
      this.#readSoon();
    });
  }

  async read() {
    const { owner } = this.chosen;
    const { data, total_count: total } = await get("/watches", { owner, limit: this.#limit });
    // An earlier question may be answered later.
    if (owner !== this.chosen.owner) return;
    this.#rows = new Map(data.map((row) => [row.research_id, row]));
    const none = byId("no-watches");
    none.hidden = data.length > 0;
    setText(none, owner ? `There is no watch of ${owner}.` : "Nothing is watched yet.");
    byId("more-watches").hidden = data.length >= total || this.#limit === MOST;
    this.#followLooks();
    this.#show();
    await this.evidence.take(this.#rows);
  }

  /** One that has been asked to look, or has just begun, is read until it has looked. */
  #followLooks() {
    const now = Date.now();
    for (const row of this.#rows.values()) {
      const look = this.#looks.get(row.research_id);
      if (isWatching(row) && row.looked_at === null && !look) this.#looks.set(row.research_id, { before: null, until: now + LONGEST_LOOK });
      else if (look && (look.before !== row.looked_at || !isWatching(row))) this.#looks.delete(row.research_id);
    }
    if ([...this.#looks].some(([id, { until }]) => until > now && this.#rows.has(id))) this.#readSoon();
  }

  #readSoon() {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      if (!document.hidden) this.read().catch((problem) => say(problem.message, { error: true }));
    }, SOON);
  }

  #isLooking(row) {
    return (this.#looks.get(row.research_id)?.until ?? 0) > Date.now();
  }

  #show() {
    this.lines.show(
      [...this.#rows.values()].map((row) => ({ ...row, points: row.bars ? this.curves.of(row.research_id, row.last_scored, row) : null })),
    );
  }

  #makeColumns() {
    return [
      { head: true, state: (row) => row.strategy_name, show: (row) => [h("a", { href: `/researches/${encodeURIComponent(row.research_id)}` }, row.strategy_name), h("p", { class: "id quiet" }, row.research_id)] },
      { class: "bars", state: (row) => [row.symbol, row.timeframe], show: (row) => h("span", { title: row.symbols.join(", ") || null }, `${row.symbol} ${row.timeframe}`) },
      { show: (row) => row.owner },
      { state: (row) => [describeStanding(row), row.problem, row.awaits, row.awaits_since, row.left], show: showStanding },
      { state: (row) => [row.points?.at(-1)?.time ?? null, row.bars], show: (row) => this.#showCurve(row) },
      { class: "number", show: (row) => formatEvidence(row.evidence) },
      { class: "number", show: (row) => formatEvidence(row.counter_evidence) },
      { class: "number", show: (row) => count(row.bars) },
      { state: (row) => [row.looked_at, this.#isLooking(row)], show: (row) => (this.#isLooking(row) ? "looking" : showTime(row.looked_at)) },
      { state: (row) => [isWatching(row), row.cancel_requested], show: (row) => this.#showActions(row) },
    ];
  }

  #showCurve(row) {
    if (!row.bars) return h("span", { class: "quiet" }, "no new bar yet");
    return h(
      "button",
      { type: "button", class: "plain thumbnail", "aria-label": `Evidence: ${describeWatch(row)}`, onclick: () => this.evidence.open(this.#rows.get(row.research_id)) },
      row.points ? makeThumbnail(row.points) : "Show",
    );
  }

  #showActions(row) {
    if (!isWatching(row) || row.cancel_requested) return null;
    return h(
      "div",
      { class: "actions" },
      mayChange(this.caller, row.owner) && this.#makeButton(row, "Look now", "small", (latest) => this.#look(latest)),
      mayCancel(this.caller, row.owner) && this.#makeButton(row, "Cancel", "small danger", (latest) => this.#cancel(latest)),
    );
  }

  #makeButton(row, text, style, run) {
    const button = h("button", { type: "button", class: style, "aria-label": `${text}: ${describeWatch(row)}` }, text);
    button.addEventListener("click", () => act(button, () => run(this.#rows.get(row.research_id))));
    return button;
  }

  async #look(row) {
    await call("POST", at("/watches/", row.research_id, "/look"));
    this.#looks.set(row.research_id, { before: row.looked_at, until: Date.now() + LONGEST_LOOK });
    this.#show();
    this.#readSoon();
  }

  async #cancel(row) {
    const wanted = await confirm({
      title: "Cancel this watch?",
      names: [`${describeWatch(row)}: ${counted(row.bars, "new bar")} seen, evidence ${formatEvidence(row.evidence)}. What it has seen is kept`],
      verb: "Cancel it",
      danger: true,
    });
    if (wanted === null) return;
    await call("DELETE", at("/watches/", row.research_id));
    say(`The watch of ${describeWatch(row)} is cancelled.`);
    await this.read();
  }
}

function describeStanding(row) {
  if (row.cancel_requested) return "stopping";
  return row.status === "cancelled" || row.status === "failed" ? row.status : row.standing;
}

function showStanding(row) {
  const standing = describeStanding(row);
  const since = row.withdrawn_at ?? row.confirmed_at;
  return [
    h("span", { class: `chip ${KIND[standing] ?? ""}` }, standing),
    since && h("p", { class: "quiet" }, `by the bar of ${since.slice(0, 10)}`),
    isWatching(row) && row.awaits.length > 0 && h("p", { class: "quiet" }, `waits for bars of ${listSome(row.awaits)}`, row.awaits_since && [" since ", showTime(row.awaits_since)]),
    isWatching(row) && row.left.length > 0 && h("p", { class: "quiet" }, `no longer waits for ${listSome(row.left)}`),
    row.problem && h("p", { class: "problem" }, `Its last look failed: ${row.problem}`),
  ];
}

const listSome = (symbols) => symbols.slice(0, MOST_NAMED).join(", ") + (symbols.length > MOST_NAMED ? ` and ${symbols.length - MOST_NAMED} more` : "");

const showTime = (iso) => (iso ? h("time", { datetime: iso, title: utc(iso) }, moment(iso)) : "not yet");
