// One row: built once, then only what has changed is touched. So nothing jumps.

import { h, setAttribute, setText } from "../shared/dom.js";
import { counted, moment, number, utc, words } from "../shared/format.js";
import { ACTIONS, addressOf, describeBars, describeState, describeTime, doWith, isActive, isCampaign, isStopping } from "../shared/operations.js";
import { describeStep, showSteps } from "../shared/steps.js";
import { act, mayAct } from "../shared/shell.js";
import { drawSparkline, makeSparkline } from "./sparkline.js";

const VERDICT = { promising: "good", mediocre: "warn", poor: "", no_signal: "" };
const STATUS = { completed: "good", failed: "bad", cancelled: "warn" };
const STATE = { running: "strong", waiting: "live", retrying: "warn", stopping: "warn" };

let rowNumber = 0;

export class Row {
  /**
   * @param list The screen: `caller`, `scores`, `onTick()`, `onStopping(row)`, `onFollowUp(answers)`.
   */
  constructor(list, data) {
    this.list = list;
    rowNumber += 1;
    const title = `row-${rowNumber}`;
    this.tick = h("input", { type: "checkbox", "aria-labelledby": title, onchange: () => list.onTick() });
    this.goal = h("a", { id: title, class: "goal" });
    this.about = h("p", { class: "about quiet" });
    this.steps = h("ol", { class: "steps" });
    this.detail = h("p", { class: "detail quiet" });
    this.spark = makeSparkline();
    this.score = h("p", { class: "figure quiet" });
    this.elapsed = h("p", { class: "figure" });
    this.left = h("p", { class: "figure quiet", title: "Of this step, at its pace so far; later steps come on top. Of those that wait, at the pace of the last researches" });
    this.result = h("span", { class: "chip" });
    this.started = h("time", { class: "quiet" });
    this.buttons = Object.fromEntries(
      Object.keys(ACTIONS).map((name) => [name, this.#makeButton(name)]),
    );
    this.open = h("a", { class: "button small" });
    this.element = h(
      "li",
      { class: "row card" },
      h("label", { class: "tick" }, this.tick, h("span", { class: "unseen" }, "Tick")),
      h("div", { class: "what" }, h("h2", {}, this.goal), this.about),
      h("div", { class: "pipeline" }, this.steps, this.detail),
      h("div", { class: "score" }, this.spark, this.score),
      h("div", { class: "time" }, this.elapsed, this.left),
      h("div", { class: "outcome" }, this.result, this.started),
      h("div", { class: "actions" }, this.open, Object.values(this.buttons)),
    );
    this.update(data);
  }

  #makeButton(name) {
    const action = ACTIONS[name];
    const button = h("button", { type: "button", class: action.danger ? "small danger" : "small" }, action.verb);
    button.addEventListener("click", () =>
      act(button, async () => {
        const answers = await doWith(name, [this.data], () => name === "cancel" && this.stopping());
        if (answers) this.list.onFollowUp();
      }),
    );
    return button;
  }

  /** Says at once that it is being cancelled, before the API's next look. */
  stopping() {
    this.update({ ...this.data, cancel_requested: true });
  }

  update(data) {
    const before = this.data;
    // A look that began before the cancel does not know of it yet.
    if (before && isStopping(before) && isActive(data) && !data.cancel_requested) {
      data = { ...data, cancel_requested: Date.now() - this.seen < 5000 };
    }
    this.data = data;
    this.seen = Date.now();
    this.#show();
    this.element.dataset.state = isStopping(data) ? "stopping" : data.status;
  }

  #show() {
    const row = this.data;
    setText(this.goal, row.goal || words(row.operation_type));
    const address = addressOf(row);
    for (const link of [this.goal, this.open]) setAttribute(link, "href", address);
    setText(this.open, isActive(row) ? "Follow" : "Open");
    setAttribute(this.open, "aria-label", `${this.open.textContent}: ${this.goal.textContent}`);
    setText(this.about, this.#describe());
    setAttribute(this.about, "title", row.operation_id);
    showSteps(this.steps, row);
    const detail = describeStep(row);
    setText(this.detail, detail);
    setAttribute(this.detail, "title", detail);
    this.#showResult();
    this.#showButtons();
    this.showScore();
    this.showTime(Date.now());
  }

  #describe() {
    const row = this.data;
    const kind = row.operation_type === "agent_research" ? null : words(row.operation_type);
    return [
      isCampaign(row) ? null : describeBars(row),
      kind,
      row.understood?.trials && counted(row.understood.trials, "trial"),
      row.owner,
      row.priority && row.priority !== 3 && `priority ${row.priority}`,
      row.retry_of && "a retry",
    ]
      .filter(Boolean)
      .join(" · ");
  }

  #showResult() {
    const row = this.data;
    const active = isActive(row);
    const text = active ? describeState(row) : words(row.verdict ?? row.status) + (row.forced ? " by force" : "");
    const kind = active ? STATE[isStopping(row) ? "stopping" : isCampaign(row) ? row.status : row.attempt?.state] : row.verdict ? VERDICT[row.verdict] : STATUS[row.status];
    setText(this.result, text);
    setAttribute(this.result, "class", `chip ${kind ?? ""}`);
    const ended = row.completed_at ?? row.created_at;
    setText(this.started, `${row.completed_at ? "ended" : "since"} ${moment(ended)}`);
    setAttribute(this.started, "datetime", ended);
    setAttribute(this.started, "title", utc(ended));
  }

  #showButtons() {
    for (const [name, button] of Object.entries(this.buttons)) {
      button.hidden = !mayAct(this.list.caller, name, this.data.owner) || !ACTIONS[name].fits(this.data);
      setAttribute(button, "aria-label", `${ACTIONS[name].verb}: ${this.goal.textContent}`);
    }
  }

  showScore() {
    const row = this.data;
    if (row.operation_type !== "agent_research" || !isActive(row) || row.understood?.strategy) {
      this.spark.toggleAttribute("hidden", true);
      setText(this.score, "");
      return;
    }
    const history = this.list.scores.of(row, () => this.showScore());
    drawSparkline(this.spark, history, row.understood?.trials ?? row.items_total);
    const best = history.best.at(-1);
    const luck = history.luck.at(-1);
    setText(
      this.score,
      best ? `best ${number(best[1])}${luck ? ` · luck ${number(luck[1])}` : ""}` : "",
    );
    setAttribute(this.score, "title", best ? "The best Sharpe ratio so far, and what luck alone would find by now" : null);
  }

  showTime(now) {
    const { elapsed, left } = describeTime(this.data, this.seen, now, this.list.head);
    setText(this.elapsed, elapsed);
    setText(this.left, left);
  }

  matches(text) {
    const row = this.data;
    const searched = [row.goal, row.operation_id, row.symbol, row.owner, row.understood?.strategy, row.verdict];
    return !text || searched.join(" ").toLowerCase().includes(text.toLowerCase());
  }
}
