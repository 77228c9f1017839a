// What has happened, and when: phases, steps, failures, the cancel with its author and reason.

import { h, replaceIfChanged, byId } from "../shared/dom.js";
import { duration, moment, utc, words } from "../shared/format.js";

const PHASE = { designing: "Design begins", training: "Training begins", backtesting: "Backtest begins", assessing: "Assessment begins", done: "Done" };

export function showEvents(operation) {
  const events = listEvents(operation);
  replaceIfChanged(byId("events"), events, () =>
    events.map(({ time, text, kind }) =>
      h(
        "li",
        { class: kind ?? "" },
        time ? h("time", { class: "quiet figure", datetime: time, title: utc(time) }, moment(time)) : h("span"),
        h("span", {}, text),
      ),
    ),
  );
}

function listEvents(operation) {
  const events = [{ time: operation.created_at, text: operation.retry_of ? `Accepted, as a retry of ${operation.retry_of}` : "Accepted" }];
  for (const { phase, started_at: time } of operation.phases) {
    if (PHASE[phase] && phase !== "done") events.push({ time, text: PHASE[phase] });
  }
  for (const child of operation.children) {
    const name = words(child.operation_type).replace("agent ", "");
    if (child.error_message) events.push({ time: child.completed_at, text: `The ${name} failed: ${child.error_message}`, kind: "bad" });
    else if (child.completed_at && child.started_at) {
      const seconds = (Date.parse(child.completed_at) - Date.parse(child.started_at)) / 1000;
      events.push({ time: child.completed_at, text: `The ${name} is ${child.status}, after ${duration(seconds)}` });
    } else if (!child.started_at && child.status === "completed") {
      events.push({ time: null, text: `The ${name} was finished by an earlier run` });
    }
  }
  const { attempt } = operation;
  if (attempt?.last_error) {
    events.push({ time: attempt.since, text: `Attempt ${attempt.number} failed: ${attempt.last_error}`, kind: "bad" });
  }
  if (operation.cancel_requested && !operation.completed_at) events.push({ time: null, text: "A cancel is on its way" });
  if (operation.completed_at) events.push(describeEnd(operation));
  return events.sort((one, other) => (one.time ?? "9").localeCompare(other.time ?? "9"));
}

function describeEnd(operation) {
  const time = operation.completed_at;
  if (operation.status === "completed") return { time, text: "Completed", kind: "good" };
  if (operation.status === "failed") return { time, text: `Failed: ${operation.error_message ?? "without a message"}`, kind: "bad" };
  const how = operation.forced ? "Terminated by force" : "Cancelled";
  return { time, text: operation.cancellation_reason ? `${how}: ${operation.cancellation_reason}` : how, kind: "warn" };
}
