// Researches side by side: curves over each other, figures, parameters, correlation.

import { get } from "../shared/api.js";
import { readAddress, writeAddress } from "../shared/address.js";
import { Chart, listTimes } from "../shared/chart.js";
import { byId, h, setText } from "../shared/dom.js";
import { count, MISSING, number, percent, words } from "../shared/format.js";

export const MOST_COMPARED = 8;
const YEAR = 366 * 86_400_000;

export class Comparison {
  constructor() {
    this.section = byId("comparison");
    this.place = byId("compared");
    byId("close-comparison").addEventListener("click", () => this.#close());
    const ids = readAddress(["compare"]).compare.split(",").filter(Boolean).map(decodeURIComponent);
    if (ids.length > 1) this.open(ids, { quiet: true });
  }

  async open(ids, { quiet = false } = {}) {
    // An id may contain a comma.
    writeAddress({ compare: ids.map(encodeURIComponent).join(",") });
    this.section.hidden = false;
    this.section.setAttribute("aria-busy", "true");
    setText(byId("comparison-problem"), "");
    const query = new URLSearchParams(ids.map((id) => ["operation_id", id]));
    try {
      this.#show((await get(`/comparison?${query}`)).data);
    } catch (error) {
      this.place.replaceChildren();
      setText(byId("comparison-problem"), error.message);
    } finally {
      this.section.removeAttribute("aria-busy");
    }
    if (!quiet) {
      byId("comparison-title").focus({ preventScroll: true });
      this.section.scrollIntoView({ block: "start" });
    }
  }

  #close() {
    writeAddress({ compare: "" });
    this.section.hidden = true;
    this.place.replaceChildren();
  }

  #show(data) {
    const names = nameAll(data.researches);
    const figure = h("figure", { class: "chart", id: "curves" });
    const point = h("p", { class: "hint quiet", role: "status" });
    this.place.replaceChildren(
      h("div", { class: "card" }, this.#makeModes(data, names, figure, point), figure, point),
      h("div", { class: "card scroll flush", role: "region", "aria-label": "Figures", tabindex: 0 }, makeFigures(data.researches, names)),
      makeParameters(data, names),
      makeCorrelations(data, names),
    );
  }

  #makeModes(data, names, figure, point) {
    const chart = new Chart(figure, {
      label: "Equity of the compared researches at 1x cost, each from 1",
      height: 320,
      onPoint: (near) => setText(point, near ? `${near[2]}, ${new Date(near[0]).toISOString().slice(0, 10)}: ${number(near[1], 3)}` : ""),
    });
    const choose = h(
      "select",
      { id: "curve-mode", onchange: () => draw() },
      h("option", { value: "holdout" }, "Holdout"),
      h("option", { value: "whole" }, "Walk-forward and holdout"),
    );
    const draw = () => drawCurves(chart, data.researches, names, choose.value);
    if (data.researches.every((each) => !each.holdout_curve)) choose.value = "whole";
    draw();
    return h("div", { class: "head" }, h("h3", {}, "Curves"), h("div", { class: "mode" }, h("label", { for: "curve-mode" }, "Over"), choose));
  }
}

/** Names to tell them apart by: a number and the strategy. */
const nameAll = (researches) => researches.map((each, index) => `${index + 1}. ${each.strategy}`);

function drawCurves(chart, researches, names, mode) {
  const layers = [];
  const benchmarks = new Map();
  researches.forEach((each, index) => {
    const [equity, benchmark] = ["equity", "benchmark_equity"].map((kind) => join(each, kind, mode));
    if (!equity.length) return;
    const name = names[index];
    layers.push({
      kind: "line",
      class: `series series-${index + 1}`,
      points: equity.map(([time, value]) => [time, value, name]),
      label: name,
      hover: true,
    });
    benchmarks.set(`${each.symbol} ${each.timeframe}, buy and hold`, benchmark);
  });
  [...benchmarks].forEach(([label, points], index) => layers.unshift({ kind: "line", class: `buy buy-${index + 1}`, points, label }));
  const times = layers.flatMap((layer) => [layer.points[0][0], layer.points.at(-1)[0]]);
  if (!times.length) {
    chart.say("None of them has traded its holdout.");
    return;
  }
  const [min, max] = [Math.min(...times), Math.max(...times)];
  const format = (time) => new Date(time).toISOString().slice(0, max - min > 2 * YEAR ? 4 : 10);
  chart.draw({ x: { min, max, ticks: listTimes(min, max), format }, y: { include: [1] }, layers });
}

/** A curve as points. On the holdout it goes on where the walk-forward ended. */
function join(research, kind, mode) {
  const make = (curve, scale) => (curve ? curve.timestamps.map((time, index) => [Date.parse(time), scale * curve[kind][index]]) : []);
  if (mode === "holdout") return make(research.holdout_curve, 1);
  const before = make(research.walk_forward_curve, 1);
  return [...before, ...make(research.holdout_curve, before.at(-1)?.[1] ?? 1)];
}

const FIGURES = [
  ["Verdict", (each) => words(each.verdict)],
  ["Bars", (each) => `${each.symbol} ${each.timeframe}`],
  ["Deflated", (each) => percent(each.statistics?.deflated_sharpe), true],
  ["Sharpe", (each) => number(each.statistics?.sharpe ?? each.holdout?.sharpe), true],
  ["95 %", (each) => (each.statistics ? `${number(each.statistics.sharpe_low)} to ${number(each.statistics.sharpe_high)}` : MISSING), true],
  ["Return", (each) => percent(each.holdout?.total_return, 1), true],
  ["Drawdown", (each) => percent(each.holdout?.max_drawdown, 1), true],
  ["Trades", (each) => (each.holdout ? count(each.holdout.trades) : MISSING), true],
  ["Trials", (each) => count(each.trials_ever), true],
  ["Look", (each) => (each.statistics ? count(each.statistics.holdout_looks) : MISSING), true],
];

function makeFigures(researches, names) {
  return h(
    "table",
    { id: "compared-figures" },
    h(
      "thead",
      {},
      h("tr", {}, h("th", { scope: "col" }, "Research"), FIGURES.map(([title, , right]) => h("th", { scope: "col", class: right ? "number" : null }, title))),
    ),
    h(
      "tbody",
      {},
      researches.map((each, index) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, makeKey(index), h("a", { href: `/researches/${encodeURIComponent(each.operation_id)}` }, names[index])),
          FIGURES.map(([, show, right]) => h("td", { class: right ? "number" : null }, show(each))),
        ),
      ),
    ),
  );
}

const makeKey = (index) => h("i", { class: `key series series-${index + 1}`, "aria-hidden": "true" });

function makeParameters({ parameters }, names) {
  const body = h("tbody");
  const only = h("input", { type: "checkbox", id: "only-differences", onchange: () => show() });
  only.checked = true;
  const show = () =>
    body.replaceChildren(
      ...parameters
        .filter((each) => each.differs || !only.checked)
        .map((each) =>
          h(
            "tr",
            { class: each.differs ? "differs" : null },
            h("th", { scope: "row" }, each.name, each.differs && h("span", { class: "sign", title: "differs" }, " ≠", h("span", { class: "unseen" }, " differs"))),
            each.values.map((value) => h("td", {}, value === null ? MISSING : String(value))),
          ),
        ),
    );
  show();
  return h(
    "div",
    { class: "card scroll", role: "region", "aria-labelledby": "parameters-title", tabindex: 0 },
    h("div", { class: "head" }, h("h3", { id: "parameters-title" }, "Parameters"), h("label", { class: "check" }, only, "Only differences")),
    h(
      "table",
      { id: "compared-parameters" },
      h("thead", {}, h("tr", {}, h("td"), names.map((name, index) => h("th", { scope: "col" }, makeKey(index), name)))),
      body,
    ),
  );
}

function makeCorrelations({ correlations, common_days: days }, names) {
  return h(
    "div",
    { class: "card scroll", role: "region", "aria-labelledby": "correlation-title", tabindex: 0 },
    h("h3", { id: "correlation-title" }, "Correlation of daily returns"),
    h(
      "table",
      { id: "correlations" },
      h("thead", {}, h("tr", {}, h("td"), names.map((name) => h("th", { scope: "col", class: "number" }, name)))),
      h(
        "tbody",
        {},
        correlations.map((row, index) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, names[index]),
            row.map((value, other) =>
              h("td", { class: "number" }, number(value), index !== other && h("p", { class: "quiet" }, `${count(days[index][other])} days`)),
            ),
          ),
        ),
      ),
    ),
  );
}
