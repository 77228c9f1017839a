// The losses of the folds, iteration by iteration, while the model is trained.

import { at, get } from "../shared/api.js";
import { Chart } from "../shared/chart.js";
import { byId, setText } from "../shared/dom.js";
import { count, number } from "../shared/format.js";
import { makeReader } from "../shared/reading.js";
import { sayLate } from "../shared/shell.js";

export class LossesView {
  constructor(operationId) {
    this.chart = new Chart(byId("losses"), { label: "Loss on the test bars of each fold, by iteration" });
    this.chart.say("They appear when the training begins.");
    this.read = makeReader(async () => {
      const { metrics } = (await get(at("/operations/", operationId, "/metrics"))).data;
      if (metrics.epochs.length) this.#show(metrics);
    }, sayLate);
  }

  #show(metrics) {
    const folds = new Map();
    for (const { fold, epoch, val_loss: loss } of metrics.epochs) {
      if (fold === null || loss === null) continue;
      if (!folds.has(fold)) folds.set(fold, []);
      folds.get(fold).push([epoch, loss]);
    }
    const last = Math.max(2, ...metrics.epochs.map((each) => each.epoch));
    this.chart.draw({
      x: { min: 1, max: last, format: (value) => (Number.isInteger(value) ? count(value) : "") },
      y: { format: (value) => number(value, 4) },
      layers: [...folds].map(([fold, points]) => ({ kind: "line", class: `series series-${fold}`, points, label: `fold ${fold}` })),
    });
    setText(
      byId("loss"),
      `${count(metrics.total_epochs_completed)} of ${count(metrics.total_epochs_planned)} iterations; ` +
        "cross-entropy on bars that the model has not seen, 0.6931 is a coin",
    );
  }
}
