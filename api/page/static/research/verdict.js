// The verdict as a list of conditions, the report in place, and what can be done next.

import { at, call, get, getText, insist, makeIdempotencyKey } from "../shared/api.js";
import { byId, h, setText } from "../shared/dom.js";
import { count, percent, words } from "../shared/format.js";
import { act, may, mayChange, say, sayLate } from "../shared/shell.js";

const KIND = { promising: "good", mediocre: "warn", poor: "", no_signal: "" };

/** Reads until there is an answer, and says meanwhile why there is none. */
const read = (ask) => insist(ask, sayLate);

export async function showVerdict(operationId, caller) {
  const [{ data: judgement }, { data: experiment }] = await Promise.all([
    read(() => get(at("/experiments/", operationId, "/judgement"))),
    read(() => get(at("/experiments/", operationId))),
  ]);
  if (!judgement.verdict) return;
  byId("verdict").hidden = false;
  byId("verdict-title").replaceChildren(
    "Verdict: ",
    h("span", { class: `chip large ${KIND[judgement.verdict]}` }, words(judgement.verdict)),
  );
  setText(byId("verdict-summary"), judgement.summary);
  byId("conditions").replaceChildren(...judgement.conditions.map(makeCondition));
  await Promise.all([showActions(operationId, experiment, caller), showReport(operationId), showHypotheses(operationId, experiment, caller)]);
}

function makeCondition({ name, title, value, limit, comparison, unit, passed }) {
  const digits = name === "cost_per_side" ? 3 : 1;
  const format = (each) => (unit === "count" ? count(each) : percent(each, digits));
  return h(
    "li",
    { class: passed ? "passed" : "short" },
    h("span", { class: "sign", "aria-hidden": "true" }, passed ? "✓" : "✕"),
    h("span", {}, title, h("span", { class: "unseen" }, passed ? ": passed" : ": falls short")),
    h("b", { class: "figure" }, format(value)),
    h("span", { class: "quiet figure" }, `${words(comparison)} ${format(limit)}`),
  );
}

function showActions(operationId, experiment, caller) {
  const yaml = h("button", { type: "button" }, "Strategy as YAML");
  yaml.addEventListener("click", () => act(yaml, () => saveStrategy(operationId, experiment)));
  const again = h("button", { type: "button" }, "Reproduce");
  again.addEventListener("click", () =>
    act(again, async () => {
      const started = await call("POST", at("/experiments/", operationId, "/reproduce"), {
        headers: { "Idempotency-Key": makeIdempotencyKey("agent_research") },
      });
      location.assign(`/researches/${encodeURIComponent(started.data.operation_id)}`);
    }),
  );
  again.hidden = !mayChange(caller, experiment.owner);
  byId("evidence-actions").replaceChildren(again, yaml);
  return showWatch(operationId, experiment, caller, yaml);
}

/** The watch of the strategy, or what begins one, after another button. A watch compares with the traded instruments themselves. */
async function showWatch(operationId, experiment, caller, button) {
  if (!experiment.metrics?.model_sha256 || experiment.strategy?.benchmark) return;
  const watch = await read(() => get(at("/watches/", operationId))).catch(() => null);
  const begin = h("button", { type: "button" }, "Watch this strategy");
  const shown = h("a", { class: "button", href: `/campaigns-and-watches?${new URLSearchParams({ watch: operationId })}#watches` }, "Its watch");
  begin.addEventListener("click", () =>
    act(begin, async () => {
      await call("POST", "/watches", { body: { research_id: operationId } });
      say("It is held against the bars that come from now on.");
      begin.replaceWith(shown);
      shown.focus();
    }),
  );
  const watched = watch?.data.status === "running";
  // Does nothing if newer buttons have taken the place of this one meanwhile.
  button.after(...[!watched && mayChange(caller, experiment.owner) && begin, watch && shown].filter(Boolean));
}

async function saveStrategy(operationId, experiment) {
  const text = await getText(at("/experiments/", operationId, "/strategy"));
  const address = URL.createObjectURL(new Blob([text], { type: "application/yaml" }));
  const link = h("a", { href: address, download: `${experiment.strategy?.name ?? "strategy"}.yaml` });
  link.click();
  URL.revokeObjectURL(address);
}

/** Puts the report into a frame whose document allows its styles and nothing else. */
async function showReport(operationId) {
  const text = await read(() => getText(at("/operations/", operationId, "/report")));
  const frame = byId("report-frame");
  byId("report").hidden = false;
  await new Promise((resolve) => {
    frame.addEventListener("load", resolve, { once: true });
    frame.src = "/report-frame";
  });
  const page = frame.contentDocument;
  // The frame's own parser: what it makes obeys the rules of the frame's document, not of this one.
  const parsed = new frame.contentWindow.DOMParser().parseFromString(text, "text/html");
  page.replaceChild(page.adoptNode(parsed.documentElement), page.documentElement);
  const fit = () => {
    frame.style.height = `${Math.ceil(page.body.getBoundingClientRect().bottom) + 2}px`;
  };
  new ResizeObserver(fit).observe(page.body);
  fit();
}

async function showHypotheses(operationId, experiment, caller) {
  const of = { symbol: experiment.symbol, timeframe: experiment.timeframe, limit: 1000 };
  const { data } = await read(() => get("/hypotheses", of));
  const own = data.filter((each) => each.operation_id === operationId);
  byId("hypotheses").hidden = own.length === 0;
  byId("hypothesis-list").replaceChildren(
    ...own.map((each) =>
      h(
        "li",
        { class: "hypothesis" },
        h("p", {}, each.statement),
        h("span", { class: "chip" }, each.status),
        each.tested_by && h("a", { href: `/researches/${encodeURIComponent(each.tested_by)}` }, "its test"),
        each.status === "open" && may(caller, "run") && h("a", { class: "button small", href: makeTest(each) }, "Test it"),
      ),
    ),
  );
}

/** The address of the start form, filled in so that the search tests the hypothesis. */
function makeTest({ statement, symbol, timeframe, test }) {
  const [condition = {}] = test;
  const elsewhere = condition.other_symbol_than;
  const values = {
    symbol: elsewhere ? "" : symbol,
    timeframe,
    long_only: condition.positions === "long_only" ? "true" : "",
    features: condition.only_feature ?? "",
    note: statement,
  };
  const filled = Object.entries(values).filter(([, value]) => value);
  return `/#start?${new URLSearchParams(filled)}`;
}
