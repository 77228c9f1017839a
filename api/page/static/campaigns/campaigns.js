// The table of campaigns. What runs follows the feed; its own figures are read when it has moved.

import { at, get } from "../shared/api.js";
import { cancelCampaign, countEnded, describeUse } from "../shared/campaigns.js";
import { Details } from "../shared/details.js";
import { byId, h, setText, throttle } from "../shared/dom.js";
import { count, counted, MISSING } from "../shared/format.js";
import { Lines } from "../shared/lines.js";
import { ACTIONS, addressOf, describeState, describeTime, isActive, isStopping } from "../shared/operations.js";
import { act, mayCancel, say } from "../shared/shell.js";

const PAGE = 20;
const MOST = 200;
const PAUSE = 500;
const KIND = { running: "strong", completed: "good", failed: "bad", cancelled: "warn" };

export class Campaigns {
  #limit = PAGE;
  #rows = new Map();

  /** @param chosen `{ owner }`, whose campaigns are shown. */
  constructor(caller, chosen) {
    this.caller = caller;
    this.chosen = chosen;
    this.records = new Details(async (row) => (await get(at("/campaigns/", row.operation_id))).data.campaign, () => this.#show());
    this.lines = new Lines(byId("campaign-rows"), (row) => row.operation_id, this.#makeColumns());
    this.readSoon = throttle(PAUSE, () => this.read().catch((problem) => say(problem.message, { error: true })));
    byId("more-campaigns").addEventListener("click", () => {
      this.#limit = MOST;
      this.readSoon();
    });
    setInterval(() => [...this.#rows.values()].some(isActive) && this.#show(), 1000);
  }

  async read() {
    const { owner } = this.chosen;
    const { data, total_count: total } = await get("/campaigns", { owner, limit: this.#limit });
    // An earlier question may be answered later.
    if (owner !== this.chosen.owner) return;
    const seen = Date.now();
    this.#rows = new Map(data.map((row) => [row.operation_id, { ...row, seen }]));
    const none = byId("no-campaigns");
    none.hidden = data.length > 0;
    setText(none, owner ? `There is no campaign of ${owner}.` : "There is no campaign yet.");
    byId("more-campaigns").hidden = data.length >= total || this.#limit === MOST;
    this.#show();
  }

  /** Takes what the feed says is new. */
  take(rows) {
    for (const row of rows) {
      if (this.#rows.has(row.operation_id)) this.#rows.set(row.operation_id, { ...row, seen: Date.now() });
      if (!this.#rows.has(row.operation_id) || !isActive(row)) this.readSoon();
    }
    this.#show();
  }

  #show() {
    const now = Date.now();
    this.lines.show(
      [...this.#rows.values()].map((row) => ({
        ...row,
        record: this.records.of(row.operation_id, [row.status, row.current_step], row),
        seconds: (row.duration_seconds ?? 0) + (isActive(row) ? (now - row.seen) / 1000 : 0),
        time: describeTime(row, row.seen, now).elapsed,
      })),
    );
  }

  #makeColumns() {
    return [
      { head: true, state: (row) => row.goal, show: (row) => [h("a", { href: addressOf(row) }, row.goal), h("p", { class: "id quiet" }, row.operation_id)] },
      { show: (row) => row.owner },
      { state: describeState, show: (row) => h("span", { class: `chip ${isStopping(row) ? "warn" : (KIND[row.status] ?? "live")}` }, describeState(row)) },
      { show: describeProgress },
      { class: "number", show: (row) => (row.record ? count(row.record.state.verdicts.promising ?? 0) : MISSING) },
      { show: (row) => (row.record ? describeUse(row.record, row.seconds).join(" · ") : MISSING) },
      { class: "number", show: (row) => row.time },
      { state: (row) => this.#mayCancel(row), show: (row) => this.#mayCancel(row) && this.#makeCancel(row) },
    ];
  }

  #mayCancel(row) {
    return ACTIONS.cancel.fits(row) && mayCancel(this.caller, row.owner);
  }

  #makeCancel(row) {
    const button = h("button", { type: "button", class: "small danger", "aria-label": `Cancel: ${row.goal}` }, "Cancel");
    button.addEventListener("click", () =>
      act(button, async () => {
        if (await cancelCampaign(row.operation_id)) this.take([{ ...this.#rows.get(row.operation_id), cancel_requested: true }]);
      }),
    );
    return button;
  }
}

function describeProgress({ items_processed: ended, items_total: all, record }) {
  // Lists tell it of those that run.
  if (all === null && !record) return MISSING;
  const of = counted(all ?? record.members, "research", "researches");
  return `${count(all === null ? countEnded(record) : ended)} of ${of}`;
}
