// The best score of a running search against the bar that luck sets, on a thumbnail.

import { get, at } from "../shared/api.js";
import { s, setAttribute } from "../shared/dom.js";

const WIDTH = 112;
const HEIGHT = 30;
const AT_ONCE = 3;

/** Histories of the best scores, by operation. One is read when its row first needs it. */
export class Scores {
  #histories = new Map();
  #queue = [];
  #reading = 0;

  /** Returns `{ best: [[trial, score]], luck: [] }`, and reads earlier trials once. */
  of(row, onRead) {
    let history = this.#histories.get(row.operation_id);
    if (!history) {
      history = { best: [], luck: [] };
      this.#histories.set(row.operation_id, history);
      if (row.items_processed > 1 || row.phase !== "designing") {
        this.#queue.push(() => this.#read(row.operation_id, history, onRead));
        this.#next();
      }
    }
    const last = history.best.at(-1);
    if (row.phase === "designing" && row.best_sharpe !== null && row.items_processed > (last?.[0] ?? 0)) {
      history.best.push([row.items_processed, row.best_sharpe]);
      if (row.luck_sharpe !== null) history.luck.push([row.items_processed, row.luck_sharpe]);
    }
    return history;
  }

  forget(operationId) {
    this.#histories.delete(operationId);
  }

  #next() {
    while (this.#reading < AT_ONCE && this.#queue.length) {
      this.#reading += 1;
      this.#queue
        .shift()()
        .catch(() => {}) // The row is right without it.
        .finally(() => {
          this.#reading -= 1;
          this.#next();
        });
    }
  }

  async #read(operationId, history, onRead) {
    const { candidates, luck } = (await get(at("/operations/", operationId, "/candidates"))).data;
    let best = -Infinity;
    const earlier = [];
    for (const { number, sharpe } of candidates) {
      if (sharpe !== null && sharpe > best) best = sharpe;
      if (best > -Infinity) earlier.push([number, best]);
    }
    const reached = earlier.at(-1)?.[0] ?? 0;
    history.best = [...earlier, ...history.best.filter(([number]) => number > reached)];
    const tried = Math.max(reached, history.best.at(-1)?.[0] ?? 0);
    history.luck = luck.slice(0, tried).map((value, index) => [index + 1, value]);
    onRead();
  }
}

export function makeSparkline() {
  return s(
    "svg",
    { class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, "aria-hidden": "true" },
    s("polyline", { class: "luck" }),
    s("polyline", { class: "best" }),
    s("circle", { class: "tip", r: 2.2 }),
  );
}

export function drawSparkline(svg, { best, luck }, planned) {
  const [luckLine, bestLine, tip] = svg.children;
  svg.toggleAttribute("hidden", best.length < 2);
  if (best.length < 2) return;
  const values = [...best, ...luck].map(([, value]) => value);
  const low = Math.min(...values);
  const span = Math.max(...values) - low || 1;
  const last = Math.max(planned ?? 0, best.at(-1)[0]);
  const place = ([number, value]) => [
    3 + ((WIDTH - 6) * number) / last,
    HEIGHT - 3 - ((HEIGHT - 6) * (value - low)) / span,
  ];
  const draw = (points) => points.map((point) => place(point).map((each) => each.toFixed(1)).join(",")).join(" ");
  setAttribute(bestLine, "points", draw(thin(best)));
  setAttribute(luckLine, "points", draw(thin(luck)));
  const [x, y] = place(best.at(-1));
  setAttribute(tip, "cx", x.toFixed(1));
  setAttribute(tip, "cy", y.toFixed(1));
}

function thin(points) {
  const step = Math.ceil(points.length / 60);
  return points.filter((_, index) => index % step === 0 || index === points.length - 1);
}
