// The screen "One research": follows one feed, and reads what that says is new.

import { at } from "../shared/api.js";
import { byId, h, replaceIfChanged, setAttribute, setText } from "../shared/dom.js";
import { counted, percent, words } from "../shared/format.js";
import { ACTIONS, addressOf, describeBars, describeState, describeTime, doWith, isActive, isCampaign, isStopping, linkTemporal } from "../shared/operations.js";
import { act, mayAct, say, showCaller } from "../shared/shell.js";
import { describeStep, showSteps } from "../shared/steps.js";
import { follow } from "../shared/stream.js";
import { CandidatesView } from "./candidates.js";
import { CurvesView } from "./curves.js";
import { showEvents } from "./events.js";
import { LossesView } from "./losses.js";
import { showVerdict } from "./verdict.js";

const STATE = { running: "strong", waiting: "live", retrying: "warn" };
const STATUS = { completed: "good", failed: "bad", cancelled: "warn" };

class Screen {
  constructor(operationId, caller) {
    this.operationId = operationId;
    this.caller = caller;
    this.candidates = new CandidatesView(operationId);
    this.losses = new LossesView(operationId);
    this.curves = new CurvesView(operationId);
    setInterval(() => this.data && this.#showTime(), 1000);
    this.#follow();
  }

  #follow() {
    follow(at("/operations/", this.operationId, "/events"), {}, {
      event: (_, operation) => this.#take(operation),
      refused: (problem) => this.#refuse(problem),
    });
  }

  #take(operation) {
    if (isCampaign(operation)) return location.replace(addressOf(operation));
    const before = this.data;
    this.data = flatten(operation);
    this.seen = Date.now();
    this.#show(operation);
    const research = operation.operation_type === "agent_research";
    // A training or a backtest alone has neither.
    for (const name of ["candidates", "curves"]) byId(name).closest("section").hidden = !research;
    const moved = before?.phase !== operation.phase || before?.status !== operation.status;
    if (research && !operation.understood?.strategy && (moved || operation.phase === "designing")) this.candidates.read();
    if (operation.understood?.strategy) this.candidates.sayGiven();
    if (moved || operation.phase === "training" || !research) this.losses.read();
    if (research && moved) this.curves.read();
    if (research && operation.status === "completed") showVerdict(this.operationId, this.caller).catch((error) => say(error.message, { error: true }));
  }

  #show(operation) {
    const row = this.data;
    document.title = `${row.goal || row.operation_id} · ktrdr`;
    setText(byId("goal"), row.goal || words(row.operation_type));
    setText(byId("about"), [describeBars(row), row.owner, row.priority && `priority ${row.priority}`].filter(Boolean).join(" · "));
    showSteps(byId("steps"), row);
    setText(byId("detail"), isActive(row) ? [describeState(row), describeStep(row)].filter(Boolean).join(": ") : "");
    byId("detail").hidden = byId("bar").hidden = !isActive(row);
    setAttribute(byId("bar"), "aria-valuenow", Math.round(row.progress_percentage));
    byId("bar").firstElementChild.style.width = `${row.progress_percentage}%`;
    setText(byId("understood"), describeUnderstood(operation));
    replaceIfChanged(byId("warnings"), operation.warnings, () => operation.warnings.map((text) => h("li", { class: "warning" }, text)));
    this.#showOutcome(operation);
    this.#showActions();
    this.#showProblem(operation);
    this.#showTime();
    showEvents(operation);
  }

  #showOutcome(operation) {
    const row = this.data;
    const verdict = operation.result_summary?.verdict;
    const text = isActive(row) ? describeState(row) : words(verdict ?? row.status) + (row.forced ? " by force" : "");
    const kind = isStopping(row) ? "warn" : isActive(row) ? STATE[row.attempt?.state] : STATUS[row.status];
    setText(byId("outcome"), text);
    setAttribute(byId("outcome"), "class", `chip large ${verdict ? "" : (kind ?? "")}`);
  }

  #showTime() {
    const { elapsed, left } = describeTime(this.data, this.seen, Date.now());
    setText(byId("time"), left ? `${elapsed}, ${left}` : elapsed);
  }

  #showActions() {
    const fitting = Object.keys(ACTIONS).filter(
      (name) => ACTIONS[name].fits(this.data) && mayAct(this.caller, name, this.data.owner),
    );
    const campaign = this.data.operation_type === "agent_research" && this.data.parent_operation_id;
    replaceIfChanged(byId("actions"), fitting, () => [
      ...fitting.map((name) => this.#makeButton(name)),
      campaign && h("a", { class: "button", href: addressOf({ operation_type: "campaign", operation_id: campaign }) }, "Its campaign"),
      linkTemporal(this.operationId),
    ]);
  }

  #makeButton(name) {
    const action = ACTIONS[name];
    const button = h("button", { type: "button", class: action.danger ? "danger" : "" }, action.verb);
    button.addEventListener("click", () => act(button, () => this.#act(name)));
    return button;
  }

  async #act(name) {
    const answers = await doWith(name, [this.data]);
    if (!answers?.size) return;
    const answer = answers.get(this.operationId);
    if (name === "retry") location.assign(`/researches/${encodeURIComponent(answer.data.operation_id)}`);
    else if (name === "resume") location.reload();
    else this.#showStopping();
  }

  #showStopping() {
    this.data = { ...this.data, cancel_requested: true };
    showSteps(byId("steps"), this.data);
    this.#showOutcome({});
    this.#showActions();
  }

  #showProblem(operation) {
    const over = operation.status === "failed" || operation.status === "cancelled";
    byId("problem").hidden = !over;
    if (!over) return;
    const failed = operation.status === "failed";
    setText(byId("problem-title"), failed ? "It failed" : operation.forced ? "It was terminated by force" : "It was cancelled");
    const cause = operation.error_message ?? operation.children.find((each) => each.error_message)?.error_message;
    const reason = operation.cancellation_reason ?? "No reason was given.";
    setText(byId("problem-text"), failed ? (cause ?? "The cause is unknown.") : cause ? `${reason} Before that a step failed: ${cause}` : reason);
    setText(byId("problem-next"), `It was at ${percent(operation.progress.percentage / 100)}: ${operation.progress.current_step}`);
  }

  #refuse(problem) {
    setText(byId("goal"), problem.status === 404 ? "There is no such research" : "This cannot be shown");
    setText(byId("about"), problem.message);
    for (const section of document.querySelectorAll("#research > section, .charts")) section.hidden = true;
  }
}

/** An operation in the form of a row of a list, in which the shared modules read it. */
function flatten(operation) {
  return {
    ...operation,
    symbol: operation.metadata.symbol,
    progress_percentage: operation.progress.percentage,
    current_step: operation.progress.current_step,
    items_processed: operation.progress.items_processed,
    items_total: operation.progress.items_total,
  };
}

function describeUnderstood({ understood, metadata }) {
  if (!understood) return "";
  if (understood.strategy) return `The strategy ${understood.strategy} is given.`;
  const seed = metadata.parameters.seed;
  return [
    understood.designer === "llm" ? `${understood.model ?? "A language model"} designs` : "A search designs",
    understood.trials && counted(understood.trials, "trial"),
    understood.families.length && `features of ${understood.families.join(", ")}`,
    understood.long_only && "long only",
    seed !== undefined && seed !== null && `seed ${seed}`,
  ]
    .filter(Boolean)
    .join(" · ");
}

const caller = await showCaller();
new Screen(byId("research").dataset.operationId, caller);
