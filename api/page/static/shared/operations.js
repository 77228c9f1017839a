// What can be done with operations, one or several, and how their states are called.

import { at, call, makeIdempotencyKey } from "./api.js";
import { confirm } from "./confirm.js";
import { h } from "./dom.js";
import { counted, duration, moment, ordinal, words } from "./format.js";
import { say } from "./shell.js";

export const isActive = (row) => row.status === "pending" || row.status === "running";
export const isStopping = (row) => isActive(row) && row.cancel_requested;
export const isCampaign = (row) => row.operation_type === "campaign";
// A campaign is not resumed: its members are.
const canGoOn = (row) => (row.status === "failed" || row.status === "cancelled") && !isCampaign(row);

/** The address of the page of an operation. */
export const addressOf = (row) => `/${isCampaign(row) ? "campaigns-and-watches" : "researches"}/${encodeURIComponent(row.operation_id)}`;

const AT_ONCE = 6;

/** What one row can be asked for. */
export const ACTIONS = {
  cancel: {
    verb: "Cancel",
    done: "is being cancelled",
    danger: true,
    askReason: true,
    fits: (row) => isActive(row) && !row.cancel_requested,
    run: (row, reason) =>
      call("DELETE", at("/operations/", row.operation_id), {
        query: { wait: 0 },
        body: reason ? { reason } : {},
      }),
  },
  resume: {
    verb: "Resume",
    done: "continues",
    fits: canGoOn,
    run: (row) => post(row, "/resume"),
  },
  retry: {
    verb: "Retry",
    done: "starts again",
    fits: canGoOn,
    run: (row) => post(row, "/retry"),
  },
};

const post = (row, rest) =>
  call("POST", at("/operations/", row.operation_id, rest), {
    headers: { "Idempotency-Key": makeIdempotencyKey() },
  });

/**
 * Does one thing with several operations, after a question that names them.
 *
 * Returns the answers by operation id; null if nobody wanted it.
 */
export async function doWith(name, rows, onAccepted = () => {}) {
  const action = ACTIONS[name];
  const hit = rows.filter(action.fits);
  if (!hit.length) return null;
  let reason = "";
  if (action.danger || hit.length > 1) {
    reason = await confirm({
      title: `${action.verb} ${hit.length === 1 ? "this one?" : `these ${hit.length}?`}`,
      names: hit.map(nameRow),
      verb: `${action.verb} ${hit.length === 1 ? "it" : hit.length}`,
      danger: action.danger,
      askReason: action.askReason,
    });
    if (reason === null) return null;
  }
  const answers = new Map();
  const failures = [];
  const left = [...hit];
  const work = async () => {
    for (let row = left.shift(); row; row = left.shift()) {
      try {
        answers.set(row.operation_id, await action.run(row, reason));
        onAccepted(row);
      } catch (error) {
        failures.push(`${nameRow(row)}: ${error.message}`);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  if (answers.size) {
    const what = hit.length === 1 ? nameRow(hit[0]) : counted(answers.size, "operation");
    say(`${what} ${action.done}.`);
  }
  for (const failure of failures.slice(0, 3)) say(failure, { error: true });
  if (failures.length > 3) say(`${failures.length - 3} more were refused.`, { error: true });
  return answers;
}

/** An operation in words: its goal and where it looks. */
export function nameRow(row) {
  if (isCampaign(row)) return `${row.goal}, a campaign, with all members that run`;
  return `${row.goal || words(row.operation_type)} (${describeBars(row)})`;
}

export function describeBars(row) {
  const bars = row.understood;
  return bars ? `${bars.symbols.join(", ")}, ${bars.timeframe}` : (row.symbol ?? "no symbol");
}

/** What an active operation does at the moment, in words. */
export function describeState(row) {
  if (isStopping(row)) return "stopping";
  if (isCampaign(row)) return words(row.status);
  const attempt = row.attempt;
  switch (attempt?.state) {
    case "waiting":
      return row.place_in_line ? `waiting, ${ordinal(row.place_in_line)} in line` : "waiting";
    case "retrying": {
      const when = attempt.next_attempt_at ? ` at ${moment(attempt.next_attempt_at)}` : "";
      return `retrying${when}, attempt ${attempt.number + 1}`;
    }
    case "paused":
      return "paused";
    case "running":
      return "computing";
    default:
      return isActive(row) ? "next step" : words(row.status);
  }
}

/**
 * Elapsed time of a row, and what is left: of its step, or until its turn.
 *
 * @param seen When the row was received.
 * @param head The slots and the pace of the API, if they are known.
 */
export function describeTime(row, seen, now, head = null) {
  const ticking = isActive(row) ? (now - seen) / 1000 : 0;
  const elapsed = duration((row.duration_seconds ?? 0) + ticking);
  if (row.place_in_line && isActive(row) && head?.seconds_per_research && head.slots) {
    const turn = (head.seconds_per_research * row.place_in_line) / head.slots;
    return { elapsed, left: `≈ ${duration(turn)} to its turn` };
  }
  if (!isActive(row) || row.step_seconds_left === null) return { elapsed, left: "" };
  const left = Math.max(0, row.step_seconds_left - ticking);
  return { elapsed, left: left < 1 ? "step about to end" : `≈ ${duration(left)} left` };
}

/** A link to an operation with its steps or members in Temporal's Web UI; null where there is none. */
export function linkTemporal(operationId) {
  const { temporalUi, namespace } = document.body.dataset;
  if (!temporalUi) return null;
  const quoted = operationId.replaceAll("\\", "\\\\").replaceAll('"', '\\"');
  const query = new URLSearchParams({ query: `WorkflowId="${quoted}" OR ParentOperationId="${quoted}"` });
  const address = `${temporalUi}/namespaces/${encodeURIComponent(namespace)}/workflows?${query}`;
  return h("a", { class: "button", href: address, rel: "noopener" }, "In Temporal");
}
