// The evidence of one watch, bar by bar: two bets, and the limits at which they decide.

import { at, get } from "../shared/api.js";
import { writeAddress } from "../shared/address.js";
import { Chart, listTimes } from "../shared/chart.js";
import { byId, h, s, setText } from "../shared/dom.js";
import { counted, percent } from "../shared/format.js";

export const THUMBNAIL_POINTS = 60;
const POINTS = 1000;
// At the one the bet on the alpha confirms. At the other one the bet against it withdraws.
const LIMIT = Math.log10(20);
// Evidence may become as small as it likes. Below this, it is drawn here.
const FARTHEST = 4;
const TICKS = [-4, -3, -2, -LIMIT, -1, 0, 1, LIMIT, 2, 3, 4];
const A_FEW_DAYS = 5 * 86_400_000;
const [WIDTH, HEIGHT] = [112, 30];

export const describeWatch = (row) => `${row.strategy_name} on ${row.symbol} ${row.timeframe}`;

/** Three digits that matter, however small it is. */
export const formatEvidence = (value) => (value !== 0 && value < 0.001 ? value.toExponential(1).replace("-", "\u2212") : Number(value.toPrecision(3)).toLocaleString("en"));

const toHeight = (value, far = FARTHEST) => Math.max(-far, Math.min(far, Math.log10(value || Number.MIN_VALUE)));
// What speaks against the alpha goes down.
const lineFor = (points, far) => points.map((point) => toHeight(point.evidence, far));
const lineAgainst = (points, far) => points.map((point) => -toHeight(point.counter_evidence, far));

export function makeThumbnail(points) {
  const far = 1.2 * LIMIT;
  const toY = (value) => (HEIGHT * (far - value)) / (2 * far);
  const toX = (index) => 2 + ((WIDTH - 4) * (index + 1)) / points.length;
  // Both bets begin with 1, before the first bar.
  const draw = (values) => [`2,${toY(0)}`, ...values.map((value, index) => `${toX(index).toFixed(1)},${toY(value).toFixed(1)}`)].join(" ");
  const limits = [LIMIT, -LIMIT].map((value) => s("line", { class: "luck", x1: 0, x2: WIDTH, y1: toY(value), y2: toY(value) }));
  return s(
    "svg",
    { class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, "aria-hidden": "true" },
    ...limits,
    s("polyline", { class: "against", points: draw(lineAgainst(points, far)) }),
    s("polyline", { class: "best", points: draw(lineFor(points, far)) }),
  );
}

/** The chart of the watch that the address names. */
export class Evidence {
  #shown = null;

  constructor(researchId) {
    this.researchId = researchId;
    this.section = byId("evidence");
    this.chart = new Chart(byId("evidence-chart"), {
      label: "Evidence for the alpha, and one over the evidence against it, on a logarithmic axis",
      onPoint: (point) => setText(byId("evidence-hint"), point?.[2] ? describePoint(point[2]) : this.summary),
    });
    this.summary = "";
    byId("close-evidence").addEventListener("click", () => this.#close());
  }

  /** Shows a watch, and goes there. */
  async open(row) {
    this.researchId = row.research_id;
    writeAddress({ watch: row.research_id });
    await this.#tryToShow(() => row);
    byId("evidence-title").focus();
    this.section.scrollIntoView({ block: "nearest" });
  }

  /** Takes what was read of watches: the one that is shown may have new bars. It may be none of them. */
  async take(rows) {
    const id = this.researchId;
    if (id) await this.#tryToShow(async () => rows.get(id) ?? (await get(at("/watches/", id))).data);
  }

  /** Shows a watch, or why it cannot be shown. The next reading tries again. */
  async #tryToShow(find) {
    const id = this.researchId;
    try {
      await this.#show(await find());
    } catch (problem) {
      // Another one may have been opened meanwhile.
      if (this.researchId !== id) return;
      this.section.hidden = false;
      this.chart.say(problem.message);
    }
  }

  #close() {
    this.section.hidden = true;
    this.researchId = this.#shown = null;
    writeAddress({ watch: "" });
    byId("watches-title").scrollIntoView({ block: "nearest" });
  }

  async #show(row) {
    const state = `${row.research_id} ${row.last_scored}`;
    if (this.#shown === state) return;
    if (!this.#shown?.startsWith(`${row.research_id} `)) {
      this.chart.clear();
      this.#shown = null;
    }
    this.section.hidden = false;
    setText(byId("evidence-title"), `Evidence: ${describeWatch(row)}`);
    this.summary = describeStand(row);
    setText(byId("evidence-hint"), this.summary);
    if (!row.bars) {
      this.chart.say("No new bar has come yet.");
      return;
    }
    const { points } = (await get(at("/watches/", row.research_id, "/curve"), { limit: POINTS })).data;
    // Another one may have been opened meanwhile.
    if (this.researchId !== row.research_id) return;
    this.#shown = state;
    this.#draw(row, points);
  }

  #draw(row, points) {
    const times = points.map((point) => Date.parse(point.time));
    const [first, last] = [Date.parse(row.begins_after ?? points[0].time), times.at(-1)];
    const place = (values) => [[first, 0], ...values.map((value, index) => [times[index], value, points[index]])];
    const across = (value) => [[first, value], [last, value]];
    this.chart.draw({
      x: { min: first, max: last, ticks: listTimes(first, last), format: formatTime(last - first) },
      y: { format: formatTick, include: [-LIMIT, LIMIT], ticks: TICKS },
      layers: [
        { kind: "line", class: "luck", points: across(LIMIT), label: "20 confirms, 1/20 withdraws" },
        { kind: "line", class: "luck", points: across(-LIMIT) },
        { kind: "line", class: "against", points: place(lineAgainst(points)), label: "one over the evidence against it" },
        { kind: "line", class: "best", points: place(lineFor(points)), label: "evidence for the alpha", hover: true },
      ],
    });
  }
}

const formatTime = (span) => (time) => {
  const iso = new Date(time).toISOString();
  return span < A_FEW_DAYS ? `${iso.slice(5, 10)} ${iso.slice(11, 16)}` : iso.slice(0, 10);
};

const formatTick = (value) => (value === -LIMIT ? "1/20" : formatEvidence(10 ** value));

const describePoint = (point) =>
  `${point.time.slice(0, 16).replace("T", " ")} UTC: for it ${formatEvidence(point.evidence)}, against it ${formatEvidence(point.counter_evidence)}; strategy ${percent(point.strategy, 2)}, market ${percent(point.market, 2)}`;

function describeStand(row) {
  const seen = row.bars ? `${counted(row.bars, "bar")} since ${row.begins_after.slice(0, 10)}` : "No new bar yet";
  return `${seen}: for it ${formatEvidence(row.evidence)} (20 confirms), against it ${formatEvidence(row.counter_evidence)} (20 withdraws)`;
}
