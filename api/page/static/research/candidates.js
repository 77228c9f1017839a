// Candidates as points while they are scored, against the best that luck would find by then.

import { at, get } from "../shared/api.js";
import { Chart } from "../shared/chart.js";
import { byId, setText } from "../shared/dom.js";
import { count, counted, number, words } from "../shared/format.js";
import { makeReader } from "../shared/reading.js";
import { sayLate } from "../shared/shell.js";

export class CandidatesView {
  #last = 0;

  constructor(operationId) {
    this.candidates = [];
    this.luck = [];
    this.planned = null;
    this.chart = new Chart(byId("candidates"), {
      label: "Sharpe ratio of each candidate, the best so far, and the best that luck would find",
      onPoint: (point) => setText(byId("candidate"), point ? describe(point[2]) : this.summary),
    });
    this.chart.say("Candidates appear here as soon as they are scored.");
    this.summary = "";
    this.read = makeReader(async () => {
      this.#take((await get(at("/operations/", operationId, "/candidates"), { after: this.#last })).data);
    }, sayLate);
  }

  /** A given strategy has no candidates. */
  sayGiven() {
    this.chart.say("The strategy was given, so nothing was searched.");
  }

  #take({ candidates, luck, planned, scored }) {
    this.candidates.push(...candidates);
    this.#last = Math.max(this.#last, candidates.at(-1)?.number ?? 0);
    this.luck = luck.length ? luck : this.luck;
    this.planned = planned ?? scored;
    if (!this.candidates.length) return;
    const out = this.candidates.filter((each) => each.sharpe === null).length;
    this.summary = [
      `${count(this.#last)} of ${counted(this.planned, "candidate")}`,
      out && `${out} hardly traded and ${out === 1 ? "is" : "are"} out`,
      "point at one to see what it is",
    ]
      .filter(Boolean)
      .join("; ");
    if (!byId("candidates").matches(":hover, :focus-within")) setText(byId("candidate"), this.summary);
    this.#draw();
  }

  #draw() {
    const scored = this.candidates.filter((each) => each.sharpe !== null).map((each) => [each.number, each.sharpe, each]);
    const floor = Math.min(0, ...scored.map(([, sharpe]) => sharpe));
    const out = this.candidates.filter((each) => each.sharpe === null).map((each) => [each.number, floor, each]);
    let best = -Infinity;
    const record = [];
    for (const [x, y] of scored) {
      if (y > best) {
        if (record.length) record.push([x, best]);
        best = y;
        record.push([x, y]);
      }
    }
    if (record.length) record.push([this.#last, best]);
    const luck = this.luck.slice(0, this.#last).map((value, index) => [index + 1, value]);
    this.chart.draw({
      x: { min: 1, max: Math.max(2, this.planned ?? 0, this.#last), format: (value) => (Number.isInteger(value) ? count(value) : "") },
      y: { include: luck.length ? [luck.at(-1)[1]] : [] },
      layers: [
        { kind: "line", class: "luck", points: luck, label: "best by luck" },
        { kind: "line", class: "best", points: record, label: "best so far" },
        { kind: "points", class: "dot", points: scored, label: "candidate", hover: true, radius: scored.length > 400 ? 2 : 3.2 },
        { kind: "points", class: "out", points: out, label: "out: hardly traded", hover: true, radius: 2.4 },
      ].filter((layer) => layer.points.length),
    });
  }
}

/** A candidate in words: its features with their periods, then its model. */
function describe({ number: place, sharpe, trades, parameters }) {
  const features = Object.entries(parameters)
    .filter(([, value]) => value === true)
    .map(([name]) => {
      const period = parameters[`${name}_period`];
      return period ? `${words(name)}(${period})` : words(name);
    });
  const rest = Object.entries(parameters)
    .filter(([name, value]) => typeof value !== "boolean" && !name.endsWith("_period"))
    .map(([name, value]) => `${words(name)} ${value}`);
  const score = sharpe === null ? "out: it hardly traded" : `Sharpe ratio ${number(sharpe)}`;
  const often = trades === null ? "" : `, ${counted(trades, "trade")}`;
  return `Candidate ${place}: ${score}${often}. ${[...features, ...rest].join(", ")}`;
}
