// The screen "Now": a list that is read once, then follows one feed.

import { at, get } from "../shared/api.js";
import { byId, setText } from "../shared/dom.js";
import { counted } from "../shared/format.js";
import { isActive } from "../shared/operations.js";
import { makeReader } from "../shared/reading.js";
import { may, showCaller } from "../shared/shell.js";
import { follow } from "../shared/stream.js";
import { Filters } from "./filters.js";
import { showHead } from "./head.js";
import { Row } from "./row.js";
import { Selection } from "./selection.js";
import { Scores } from "./sparkline.js";
import { openStartForm, openStartFormOfAddress } from "./start.js";

const PAGE = 60;
// What the end of an operation changes of its row.
const ENDED = [
  "status",
  "phase",
  "attempt",
  "completed_at",
  "duration_seconds",
  "cancel_requested",
  "cancellation_reason",
  "forced",
];

const pick = (object, names) => Object.fromEntries(names.map((name) => [name, object[name]]));

class Screen {
  constructor(caller) {
    this.caller = caller;
    this.scores = new Scores();
    this.rows = new Map();
    this.list = byId("rows");
    this.cursor = null;
    // Temporal may be away while the API is there.
    this.readList = makeReader(
      () => this.#read(null),
      (problem) => setText(byId("shown"), problem.message),
    );
    this.lost = new Set();
    this.readLost = makeReader(() => this.#readLost());
    this.filters = new Filters((anew) => (anew ? this.#restart() : this.#showMatches()));
    this.selection = new Selection(this);
    byId("older").addEventListener("click", () => this.#read(this.cursor));
    setInterval(() => this.#tick(), 1000);
    this.#follow();
  }

  #follow() {
    this.feed = follow("/operations/events", () => this.filters.query, {
      // What ended while nobody followed is in the list, not in the feed.
      open: this.readList,
      event: (_, { head, rows, complete }) => this.#take(head, rows, complete),
      refused: (problem) => this.filters.sayProblem(problem.message),
    });
  }

  #restart() {
    this.feed.stop();
    this.filters.sayProblem("");
    this.rows.clear();
    this.list.replaceChildren();
    this.#follow();
  }

  async #read(cursor) {
    const { feed } = this;
    const query = { ...this.filters.query, top_level: true, limit: PAGE, cursor };
    const page = await get("/operations", query);
    // An earlier question may be answered later.
    if (feed !== this.feed) return;
    this.cursor = page.next_cursor;
    this.total = page.total_count;
    const [active, ended] = [page.data.filter(isActive), page.data.filter((row) => !isActive(row))];
    for (const row of [...active, ...ended]) {
      // Of what runs, the feed knows more, and it is newer.
      const known = this.rows.get(row.operation_id);
      if (!known || !isActive(row)) this.#put(row, false);
    }
    this.read = true;
    this.#showMatches();
  }

  #take(head, rows, complete) {
    this.head = head;
    showHead(head);
    for (const row of rows) this.#put(row, true);
    if (complete) this.#findLost(new Set(rows.map((row) => row.operation_id)));
    if (rows.length) this.#showMatches();
  }

  /** What ended while nobody followed is not in the feed, and may be too old for the list. */
  #findLost(known) {
    for (const [id, { data }] of this.rows) if (isActive(data) && !known.has(id)) this.lost.add(id);
    this.readLost();
  }

  async #readLost() {
    for (const id of this.lost) {
      try {
        const now = (await get(at("/operations/", id))).data;
        const row = this.rows.get(id);
        row?.update({ ...row.data, ...pick(now, ENDED), verdict: now.result_summary?.verdict ?? null });
      } catch (problem) {
        if (problem.status !== 404) throw problem;
        this.rows.get(id)?.element.remove();
        this.rows.delete(id);
      }
      this.lost.delete(id);
    }
  }

  #put(data, inOrder) {
    const known = this.rows.get(data.operation_id);
    if (known) {
      known.update(data);
      return;
    }
    const row = new Row(this, data);
    this.rows.set(data.operation_id, row);
    this.list.insertBefore(row.element, inOrder ? this.#findNext(data) : null);
    row.element.row = row;
  }

  /** What a new row comes before: the first that is older, or has ended. The others stay where they are. */
  #findNext(data) {
    for (const element of this.list.children) {
      const other = element.row.data;
      if (!isActive(other) || other.created_at < data.created_at) return element;
    }
    return null;
  }

  #showMatches() {
    let shown = 0;
    for (const row of this.rows.values()) {
      row.element.hidden = !row.matches(this.filters.text);
      shown += row.element.hidden ? 0 : 1;
    }
    const nothing = byId("nothing");
    nothing.hidden = shown > 0 || !this.read;
    setText(
      nothing,
      this.filters.any
        ? "Nothing matches these filters."
        : "Nothing runs, and nothing has ended yet. A new research starts with a goal in words.",
    );
    const all = Math.max(this.total ?? 0, this.rows.size);
    setText(byId("shown"), this.read && shown ? `${counted(shown, "operation")}${all > shown ? ` of ${all}` : ""}` : "");
    byId("older").hidden = !this.cursor;
    this.selection.show();
  }

  #tick() {
    const now = Date.now();
    for (const row of this.rows.values()) if (isActive(row.data)) row.showTime(now);
  }

  onTick() {
    this.selection.show();
  }

  onFollowUp() {
    this.#showMatches();
  }
}

const caller = await showCaller();
const screen = new Screen(caller);
const start = byId("start");
start.hidden = !may(caller, "run");
start.addEventListener("click", () => openStartForm(screen.caller));
openStartFormOfAddress(screen.caller);
