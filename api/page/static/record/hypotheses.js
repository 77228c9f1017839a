// Hypotheses as chains: a research suggests one, another tests it, and suggests the next.

import { get } from "../shared/api.js";
import { byId, h, replaceIfChanged } from "../shared/dom.js";
import { counted, words } from "../shared/format.js";

const MOST = 300;
const CLASSES = { open: "live", supported: "good", refuted: "bad", inconclusive: "warn" };

export class Hypotheses {
  constructor() {
    this.status = byId("hypothesis-status");
    byId("hypothesis-form").addEventListener("submit", (event) => event.preventDefault());
    this.status.addEventListener("input", () => this.read());
  }

  async read() {
    const { data } = await get("/hypotheses", { status: this.status.value, limit: MOST });
    byId("no-hypotheses").hidden = data.length > 0;
    replaceIfChanged(byId("chains"), data, () => makeChains(data));
  }
}

function makeChains(hypotheses) {
  const suggested = new Map();
  for (const each of hypotheses) {
    const known = suggested.get(each.operation_id);
    if (known) known.push(each);
    else suggested.set(each.operation_id, [each]);
  }
  const testers = new Set(hypotheses.map((each) => each.tested_by));
  const shown = new Set();
  const make = (id) => makeResearch(id, suggested, shown);
  // A chain begins with a research that has tested none of these.
  const begins = [...suggested.keys()].filter((id) => !testers.has(id)).map(make);
  // Two researches may have tested each other's hypotheses; then none of them is the first.
  const rest = [...suggested.keys()].filter((id) => !shown.has(id)).map((id) => (shown.has(id) ? null : make(id)));
  return [...begins, ...rest].filter(Boolean);
}

function makeResearch(id, suggested, shown) {
  shown.add(id);
  const own = suggested.get(id) ?? [];
  const tested = own.filter((each) => each.tested_by).length;
  return h(
    "li",
    {},
    h(
      "details",
      { open: tested > 0 },
      h("summary", {}, `${own[0].symbol} ${own[0].timeframe}, ${shorten(id)} suggested ${counted(own.length, "hypothesis", "hypotheses")}, ${tested} tested`),
      h("p", {}, link(id, "Open this research")),
      h(
        "ul",
        { class: "chain" },
        own.map((each) => makeHypothesis(each, suggested, shown)),
      ),
    ),
  );
}

function makeHypothesis(each, suggested, shown) {
  const tester = each.tested_by;
  const goesOn = tester && suggested.has(tester) && !shown.has(tester);
  return h(
    "li",
    {},
    h("span", { class: `chip ${CLASSES[each.status]}` }, words(each.status)),
    " ",
    each.statement,
    tester && h("p", { class: "quiet" }, "tested by ", link(tester, shorten(tester))),
    goesOn && h("ul", { class: "chain" }, makeResearch(tester, suggested, shown)),
  );
}

const link = (id, text) => h("a", { href: `/researches/${encodeURIComponent(id)}` }, text);
/** The short end of an id, as every command takes it. */
const shorten = (id) => id.split("_").at(-1);
