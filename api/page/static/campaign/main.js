// The screen "One campaign": follows one feed, and reads the report anew when a member has ended.

import { at, get, mayPass } from "../shared/api.js";
import { cancelCampaign, countEnded, describeUse } from "../shared/campaigns.js";
import { byId, h, replaceIfChanged, setAttribute, setText } from "../shared/dom.js";
import { count, counted, moment, words } from "../shared/format.js";
import { ACTIONS, describeState, describeTime, isActive, isStopping, linkTemporal } from "../shared/operations.js";
import { act, mayCancel, say, showCaller } from "../shared/shell.js";
import { follow } from "../shared/stream.js";
import { Members } from "./members.js";
import { listAsked } from "./request.js";

const KIND = { running: "strong", completed: "good", failed: "bad", cancelled: "warn" };
// The report judges all members anew. So reading it never takes more than a fifth of the time.
const LEAST_PAUSE = 1000;
const PAUSE_FOR_TIME = 4;
// Others may have tried something on the same bars.
const ANEW = 30_000;
// After an answer that failed.
const RETRY = 3000;

class Screen {
  #timer = null;
  #reading = null;
  #pause = LEAST_PAUSE;
  #sections = document.querySelectorAll("#progress, #members");

  constructor(operationId, caller) {
    this.operationId = operationId;
    this.caller = caller;
    this.members = new Members(caller, () => this.#readSoon(0));
    this.#begin();
  }

  async #begin() {
    const problem = await this.#read();
    if (problem) {
      this.#refuse(problem);
      if (mayPass(problem)) setTimeout(() => this.#begin(), RETRY);
      return;
    }
    for (const section of this.#sections) section.hidden = false;
    setInterval(() => this.#showTime(), 1000);
    setInterval(() => document.hidden || this.#readSoon(), ANEW);
    follow("/operations/events", { owner: this.record?.owner ?? this.data?.owner, active_only: true }, {
      open: () => this.#readSoon(0),
      event: (_, { rows, complete }) => this.#take(rows, complete),
      refused: (problem) => say(problem.message, { error: true }),
    });
  }

  /** Takes what the feed says of the campaign and of its members. */
  #take(rows, complete) {
    const own = rows.find((row) => row.operation_id === this.operationId);
    const members = rows.filter((row) => row.operation_id.startsWith(`${this.operationId}.m`));
    if (own && this.data) {
      this.data = { ...this.data, status: own.status, current_step: own.current_step, cancel_requested: own.cancel_requested, duration_seconds: own.duration_seconds };
      this.seen = Date.now();
      this.#show();
    }
    const moved = this.members.follow(members, complete);
    if (own || moved) this.#readSoon();
  }

  #readSoon(pause = this.#pause) {
    this.#timer ??= setTimeout(async () => {
      // A reading under way may not know yet what has happened.
      await this.#reading;
      this.#timer = null;
      // What is shown stays until there is something newer.
      if (await this.#read()) this.#readSoon(RETRY);
    }, pause);
  }

  /** Reads the campaign and its report. Returns the problem if there is neither. */
  async #read() {
    const began = Date.now();
    const asked = [get(at("/campaigns/", this.operationId)), get(at("/campaigns/", this.operationId, "/report"), this.members.page)];
    this.#reading = Promise.allSettled(asked);
    const [campaign, report] = await this.#reading;
    this.#pause = Math.max(LEAST_PAUSE, PAUSE_FOR_TIME * (Date.now() - began));
    if (campaign.status === "fulfilled") {
      const { data } = campaign.value;
      this.data = { ...data, current_step: data.progress.current_step };
      this.seen = Date.now();
    } else if (report.status === "rejected") {
      return campaign.reason;
    }
    // Temporal forgets a campaign. Its report is kept. Without a worker neither may tell.
    this.record = campaign.value?.data.campaign ?? report.value?.data.campaign ?? this.record;
    this.members.show(this.data?.running ?? [], report, began);
    this.#show();
    return null;
  }

  #show() {
    const { data, record } = this;
    const row = data ?? { operation_type: "campaign", operation_id: this.operationId, status: record.status, owner: record.owner };
    const name = record?.name ?? data.goal;
    setText(byId("name"), name);
    document.title = `${name} · ktrdr`;
    setText(byId("about"), [row.owner, record && `since ${moment(record.started_at)}`].filter(Boolean).join(" · "));
    setText(byId("outcome"), describeState(row));
    setAttribute(byId("outcome"), "class", `chip large ${isStopping(row) ? "warn" : (KIND[row.status] ?? "live")}`);
    const done = record ? (100 * countEnded(record)) / record.members : row.progress.percentage;
    setText(byId("done"), row.current_step ?? (record ? `${count(countEnded(record))} of ${counted(record.members, "research", "researches")}` : ""));
    setAttribute(byId("bar"), "aria-valuenow", Math.round(done));
    byId("bar").firstElementChild.style.width = `${done}%`;
    const cancel = ACTIONS.cancel.fits(row) && mayCancel(this.caller, row.owner);
    replaceIfChanged(byId("actions"), cancel, () => [cancel && this.#makeCancel(), linkTemporal(this.operationId)]);
    const why = record?.error ?? record?.cancellation_reason ?? data?.error_message ?? data?.cancellation_reason;
    byId("problem").hidden = isActive(row) || !why;
    setText(byId("problem-title"), row.status === "failed" ? "It failed" : "It was cancelled");
    setText(byId("problem-text"), why ?? "");
    this.#showTime();
  }

  #showTime() {
    const { data, record } = this;
    const row = data ?? { status: record.status, duration_seconds: (Date.parse(record.finished_at) - Date.parse(record.started_at)) / 1000 };
    const seen = this.seen ?? Date.now();
    setText(byId("time"), describeTime({ step_seconds_left: null, ...row }, seen, Date.now()).elapsed);
    if (!record) return;
    const seconds = row.duration_seconds + (isActive(row) ? (Date.now() - seen) / 1000 : 0);
    const facts = [...listOutcomes(record, seconds), ...listAsked(record)];
    replaceIfChanged(byId("facts"), facts, () => facts.map(([name, text]) => h("div", {}, h("dt", {}, name), h("dd", {}, text))));
  }

  #makeCancel() {
    const button = h("button", { type: "button", class: "danger" }, "Cancel the campaign");
    button.addEventListener("click", () =>
      act(button, async () => {
        if (!(await cancelCampaign(this.operationId))) return;
        this.data = { ...this.data, cancel_requested: true };
        this.#show();
      }),
    );
    return button;
  }

  #refuse(problem) {
    setText(byId("name"), problem.status === 404 ? "There is no such campaign" : "This cannot be shown");
    setText(byId("about"), problem.message);
    for (const section of this.#sections) section.hidden = true;
  }
}

function listOutcomes(record, seconds) {
  const { state, request } = record;
  const verdicts = Object.entries(state.verdicts).sort().map(([name, each]) => `${count(each)} ${words(name)}`);
  const others = ["failed", "cancelled"].filter((name) => state[name]).map((name) => `${count(state[name])} ${name}`);
  return [
    ["Ended with", [...verdicts, ...others].join(", ") || "none yet"],
    ["Used", describeUse(record, seconds).join(" · ")],
    (request.generations ?? 1) > 1 && ["Generation", `${count(state.generation)} of ${count(request.generations)}`],
    state.stopped_by && ["No more begin", describeStop(state.stopped_by)],
  ].filter(Boolean);
}

const describeStop = (reason) => (reason === "promising" ? "a member is promising" : `the budget of ${reason} is used up`);

const caller = await showCaller();
new Screen(byId("campaign").dataset.operationId, caller);
