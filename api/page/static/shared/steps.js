// The four steps of a research as chips. Each says its state in a word, not by colour alone.

import { h, replaceIfChanged } from "./dom.js";
import { describeState, isActive, isCampaign, isStopping } from "./operations.js";

const STEPS = [
  ["designing", "design"],
  ["training", "training"],
  ["backtesting", "backtest"],
  ["assessing", "assessment"],
];
const OWN_STEP = { training: "training", backtesting: "backtest", campaign: "researches" };

const SIGN = {
  done: "✓",
  computing: "●",
  waiting: "◔",
  retrying: "↻",
  paused: "‖",
  stopping: "■",
  between: "…",
  failed: "✕",
  cancelled: "✕",
  given: "→",
  todo: "",
};

/** Returns `[{ name, state }]` of the steps of a row. */
export function listSteps(row) {
  const own = OWN_STEP[row.operation_type];
  if (own) return [{ name: own, state: stateOfPresent(row) }];
  const given = Boolean(row.understood?.strategy);
  const present = STEPS.findIndex(([phase]) => phase === row.phase);
  return STEPS.map(([, name], index) => {
    if (index === 0 && given) return { name, state: "given" };
    if (row.phase === "done" || row.status === "completed") return { name, state: "done" };
    if (index < present) return { name, state: "done" };
    if (index === Math.max(present, given ? 1 : 0)) return { name, state: stateOfPresent(row) };
    return { name, state: "todo" };
  });
}

function stateOfPresent(row) {
  if (row.status === "completed") return "done";
  if (!isActive(row)) return row.status;
  if (isStopping(row)) return "stopping";
  const state = isCampaign(row) ? row.status : row.attempt?.state;
  return state === "running" ? "computing" : (state ?? "between");
}

/** Shows the chips in a list element. */
export function showSteps(list, row) {
  const steps = listSteps(row);
  replaceIfChanged(list, steps, () =>
    steps.map(({ name, state }) =>
      h(
        "li",
        { class: `step ${state}` },
        SIGN[state] && h("span", { class: "sign", "aria-hidden": "true" }, SIGN[state]),
        name,
        h("span", { class: "unseen" }, `: ${state === "todo" ? "not begun" : state}`),
      ),
    ),
  );
}

/** One line about the present step: what it does, or why it does not. */
export function describeStep(row) {
  if (!isActive(row)) {
    if (row.cancellation_reason) return row.cancellation_reason;
    return row.status === "completed" ? "" : (row.current_step ?? "");
  }
  if (isCampaign(row)) return row.current_step ?? "";
  const state = describeState(row);
  const error = row.attempt?.last_error;
  if (row.attempt?.state === "retrying" && error) return `${state}: ${error}`;
  if (state === "paused" || state === "stopping") return row.current_step ?? "";
  if (state !== "computing") return "";
  if (row.items_total) {
    const what = row.phase === "designing" ? "trial" : "iteration";
    return `${what} ${row.items_processed.toLocaleString("en")} of ${row.items_total.toLocaleString("en")}`;
  }
  return (row.current_step ?? state).replace(/^[A-Z][a-z]+ [a-z]+\.\.\. ?/, "") || state;
}
