// The table of members: those that run, live, and then those that have ended, the best first.

import { describeSought } from "../shared/campaigns.js";
import { byId, h, setText } from "../shared/dom.js";
import { count, counted, MISSING, number, percent, words } from "../shared/format.js";
import { Lines } from "../shared/lines.js";
import { ACTIONS, addressOf, describeBars, describeState, doWith, isActive } from "../shared/operations.js";
import { act, mayCancel } from "../shared/shell.js";
import { describeStep } from "../shared/steps.js";

const PAGE = 50;
const VERDICT = { promising: "good", mediocre: "warn", poor: "", no_signal: "" };
const STATUS = { failed: "bad", cancelled: "warn" };
const STATE = { running: "strong", waiting: "live", retrying: "warn" };

export class Members {
  #live = new Map();
  // What each member looks for that was seen to run.
  #planned = new Map();
  #running = new Set();
  #report = null;
  #offset = 0;

  /** @param onTurn Is called when another page shall be read. */
  constructor(caller, onTurn) {
    this.caller = caller;
    const columns = this.#makeColumns();
    const key = (row) => row.operation_id;
    this.running = new Lines(byId("running-rows"), key, columns);
    this.ended = new Lines(byId("member-rows"), key, columns);
    const turn = (by) => () => {
      this.#offset = Math.max(0, this.#offset + by);
      onTurn();
    };
    byId("earlier").addEventListener("click", turn(-PAGE));
    byId("later").addEventListener("click", turn(PAGE));
  }

  /** The part of the report that is shown. */
  get page() {
    return { limit: PAGE, offset: this.#offset };
  }

  /** Takes what the feed says of members; all that run if it is complete. Returns whether one has begun or ended. */
  follow(rows, complete) {
    if (complete) this.#live.clear();
    const moved = rows.some((row) => !isActive(row) || !this.#live.has(row.operation_id));
    for (const row of rows) this.#live.set(row.operation_id, { ...row, seen: Date.now() });
    this.#show();
    return moved;
  }

  /**
   * Takes what was read.
   *
   * @param running What each running member looks for.
   * @param report The outcome of reading the report.
   * @param began When that was asked.
   */
  show(running, report, began) {
    this.#running = new Set(running.map((row) => row.operation_id));
    for (const row of running) this.#planned.set(row.operation_id, row);
    if (report.status === "fulfilled") this.#report = report.value.data;
    // One that ended before is in the report, on this page or on another.
    const recorded = new Set(this.#report?.rows.filter((row) => row.status !== "pending").map((row) => row.operation_id));
    for (const [id, row] of this.#live) if (!isActive(row) && (row.seen < began || recorded.has(id))) this.#live.delete(id);
    const none = byId("no-members");
    none.hidden = report.status === "fulfilled" && (running.length > 0 || this.#report.rows.length > 0);
    setText(none, report.status === "rejected" ? report.reason.message : "No member has begun yet.");
    this.#show();
  }

  #show() {
    const ids = new Set([...this.#running, ...this.#live.keys()]);
    const running = [...ids].map((id) => this.#join(id)).sort((one, other) => one.number - other.number);
    this.running.show(running);
    const rows = (this.#report?.rows ?? []).filter((row) => !ids.has(row.operation_id));
    this.ended.show(rows.map((row) => ({ ...row, live: null })));
    this.#showPlace();
  }

  #join(id) {
    const live = this.#live.get(id) ?? null;
    const unknown = { operation_id: id, number: Number(id.slice(id.lastIndexOf("m") + 1)), generation: null, seed: null };
    return { ...(this.#planned.get(id) ?? unknown), status: live?.status ?? "running", live };
  }

  #showPlace() {
    const report = this.#report;
    if (!report) return;
    const [first, begun] = [this.#offset, report.campaign.state.begun];
    const last = first + report.rows.length;
    setText(byId("shown"), report.rows.length ? `${count(first + 1)} to ${count(last)} of ${counted(begun, "member")} that ${begun === 1 ? "has" : "have"} begun` : "");
    setText(
      byId("ranking"),
      `The best first: by the verdict, then by the deflated Sharpe ratio. All are judged by everything that was tried on their bars until today, this campaign included. ${describeDiscoveries(report.discoveries)} among all of them.`,
    );
    byId("earlier").parentElement.hidden = first === 0 && last >= begun;
    byId("earlier").disabled = first === 0;
    byId("later").disabled = last >= begun;
  }

  #makeColumns() {
    const numbers = { class: "number" };
    return [
      { head: true, state: (row) => [row.number, row.generation], show: showName },
      { class: "bars", show: (row) => (row.symbol ? `${row.symbol} ${row.timeframe ?? ""}` : row.live ? describeBars(row.live) : MISSING) },
      { show: (row) => describeSought(row) || row.live?.goal || MISSING },
      { ...numbers, show: (row) => (row.seed === null ? MISSING : String(row.seed)) },
      { state: (row) => [row.status, row.error, row.live && [describeState(row.live), describeStep(row.live)]], show: showStatus },
      { state: (row) => [row.verdict, row.is_discovery], show: showVerdict },
      { ...numbers, show: (row) => number(row.development_sharpe) },
      { ...numbers, show: (row) => number(row.sharpe) },
      { ...numbers, show: (row) => percent(row.deflated_sharpe) },
      { class: "bars", show: (row) => (row.trials_ever ?? null) === null ? MISSING : `${counted(row.trials_ever, "trial")}, ${counted(row.holdout_looks, "look")}` },
      { ...numbers, show: (row) => percent(row.false_discovery_rate) },
      { ...numbers, show: (row) => percent(row.total_return, 1) },
      { state: (row) => this.#mayCancel(row), show: (row) => this.#mayCancel(row) && this.#makeCancel(row) },
    ];
  }

  #mayCancel({ live }) {
    return live !== null && ACTIONS.cancel.fits(live) && mayCancel(this.caller, live.owner);
  }

  #makeCancel({ number: place, operation_id: id }) {
    const button = h("button", { type: "button", class: "small danger", "aria-label": `Cancel: member ${place}` }, "Cancel");
    button.addEventListener("click", () =>
      act(button, async () => {
        const live = this.#live.get(id);
        if (!live) return;
        await doWith("cancel", [{ ...live, goal: `Member ${place}: ${live.goal}` }], () => {
          this.#live.set(id, { ...this.#live.get(id), cancel_requested: true });
          this.#show();
        });
      }),
    );
    return button;
  }
}

const describeDiscoveries = (found) => (found ? `${counted(found, "member counts", "members count")} as ${found === 1 ? "a discovery" : "discoveries"}` : "None counts as a discovery");

function showName(row) {
  const later = row.generation > 1 && h("p", { class: "quiet" }, `generation ${row.generation}`);
  return [h("a", { href: addressOf(row), "aria-label": `Member ${row.number}` }, count(row.number)), later];
}

function showStatus(row) {
  const { live } = row;
  if (live && isActive(live)) {
    const kind = live.cancel_requested ? "warn" : STATE[live.attempt?.state];
    const [state, step] = [describeState(live), describeStep(live)];
    return [h("span", { class: `chip ${kind ?? "live"}` }, state), step !== state && h("p", { class: "quiet" }, step)];
  }
  return [h("span", { class: `chip ${STATUS[row.status] ?? ""}` }, words(row.status)), row.error && h("p", { class: "quiet" }, row.error)];
}

function showVerdict(row) {
  if (!row.verdict) return MISSING;
  return [h("span", { class: `chip ${VERDICT[row.verdict] ?? ""}` }, words(row.verdict)), row.is_discovery && h("p", { class: "quiet" }, "a discovery")];
}
