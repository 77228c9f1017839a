// The account: the walk-forward as soon as it exists, the holdout behind a curtain until the verdict.

import { at, get } from "../shared/api.js";
import { Chart, listTimes } from "../shared/chart.js";
import { byId, setText } from "../shared/dom.js";
import { percent } from "../shared/format.js";
import { makeReader } from "../shared/reading.js";
import { sayLate } from "../shared/shell.js";

// The part of the bars that comes before the holdout.
const DEVELOPMENT = 0.7;

export class CurvesView {
  constructor(operationId) {
    this.chart = new Chart(byId("curves"), {
      label: "Equity in walk-forward and on the holdout, against buy and hold",
      height: 280,
      onPoint: (point) => setText(byId("curve"), point ? describe(point) : this.summary),
    });
    this.summary = "";
    this.chart.say("It appears when the training has ended.");
    this.read = makeReader(async () => {
      const { data } = await get(at("/operations/", operationId, "/curves"));
      if (data.walk_forward) this.#show(data);
    }, sayLate);
  }

  #show({ walk_forward: developed, holdout }) {
    const times = developed.timestamps.map(Date.parse);
    const [first, split] = [times[0], times.at(-1)];
    const end = holdout ? Date.parse(holdout.timestamps.at(-1)) : split + ((split - first) * (1 - DEVELOPMENT)) / DEVELOPMENT;
    const account = times.map((time, index) => [time, developed.equity[index]]);
    const benchmark = times.map((time, index) => [time, developed.benchmark[index]]);
    const [equity, hold] = [account.at(-1)[1], benchmark.at(-1)[1]];
    const layers = [
      holdout
        ? { kind: "band", class: "holdout", from: split, to: end }
        : { kind: "band", class: "curtain", from: split, to: end, text: "holdout: unseen until the verdict" },
      { kind: "line", class: "buy", points: benchmark, label: "buy and hold" },
      { kind: "line", class: "equity", points: account, label: "walk-forward, after cost", hover: true },
    ];
    if (holdout) {
      const late = holdout.timestamps.map(Date.parse);
      // Each account starts at 1; on the holdout it goes on where the walk-forward ended.
      layers.push(
        { kind: "line", class: "buy", points: late.map((time, index) => [time, hold * holdout.benchmark[index]]) },
        {
          kind: "line",
          class: "equity late",
          points: late.map((time, index) => [time, equity * holdout.equity[index]]),
          label: "holdout",
          hover: true,
        },
      );
    }
    this.summary = holdout
      ? `Walk-forward ${percent(equity - 1, 1)}, then holdout ${percent(holdout.equity.at(-1) - 1, 1)} after cost`
      : `Walk-forward ${percent(equity - 1, 1)} after cost; every bar was predicted by a model that had not seen it`;
    setText(byId("curve"), this.summary);
    this.chart.draw({
      x: { min: first, max: end, ticks: listTimes(first, end), format: formatTime(end - first) },
      y: {},
      layers,
    });
  }
}

const formatTime = (span) => (time) => {
  const iso = new Date(time).toISOString();
  return span > 2 * 366 * 86_400_000 ? iso.slice(0, 4) : iso.slice(0, 10);
};

const describe = ([time, value]) => `${new Date(time).toISOString().slice(0, 16).replace("T", " ")} UTC: ${percent(value - 1, 1)}`;
