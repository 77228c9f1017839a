// Small charts in SVG: axes, lines, points. The values are in the reader's words on hover and focus.

import { h, s } from "./dom.js";
import { number } from "./format.js";

const HEIGHT = 240;
const LEFT = 54;
const RIGHT = 12;
const TOP = 12;
const BOTTOM = 30;
const MOST_TICKS = 5;

/**
 * A chart that is drawn anew when its data or its width changes.
 *
 * @param figure The element that holds it.
 * @param options `{ label, height, hint(point) }`; the hint is shown for the point that is nearest.
 */
export class Chart {
  constructor(figure, { label, height = HEIGHT, onPoint = null }) {
    this.figure = figure;
    this.label = label;
    this.height = height;
    this.onPoint = onPoint;
    this.width = 0;
    // The point that is shown; none.
    this.at = -1;
    // The place is taken before there is anything to draw, so that nothing jumps.
    figure.style.minHeight = `${height}px`;
    new ResizeObserver(([entry]) => {
      const width = Math.round(entry.contentRect.width);
      if (width && width !== this.width) {
        this.width = width;
        if (this.data) this.draw(this.data);
      }
    }).observe(figure);
  }

  /** Forgets what was drawn, because something else will be. */
  clear() {
    this.data = null;
    this.at = -1;
    this.figure.replaceChildren();
  }

  /** Says why there is nothing to see yet. */
  say(text) {
    if (this.data) return;
    this.figure.replaceChildren(h("p", { class: "empty quiet" }, text));
  }

  /**
   * @param data `{ x: {min, max, format, ticks}, y: {format, include, ticks}, layers: [{kind, points, class, label}] }`.
   *   Kinds: `line`, `points`, `band`. Points are `[x, y, what]`.
   */
  draw(data) {
    this.data = data;
    if (!this.width) return;
    const frame = this.#measure(data);
    const svg = s("svg", {
      viewBox: `0 0 ${this.width} ${this.height}`,
      width: this.width,
      height: this.height,
      role: "img",
      "aria-label": this.label,
    });
    svg.append(...drawAxes(frame, data), ...data.layers.flatMap((layer) => drawLayer(frame, layer)));
    if (this.onPoint) this.#listen(svg, frame, data);
    // A reader who walks from point to point stays where they are.
    const focused = this.figure.firstElementChild === document.activeElement;
    this.figure.replaceChildren(svg, makeLegend(data.layers));
    if (focused) svg.focus({ preventScroll: true });
  }

  #measure({ x, y, layers }) {
    const values = layers.flatMap((layer) => (layer.kind === "band" ? [] : layer.points.map((point) => point[1])));
    let [low, high] = [Math.min(...values, ...(y.include ?? [])), Math.max(...values, ...(y.include ?? []))];
    if (!Number.isFinite(low)) [low, high] = [0, 1];
    const room = (high - low) * 0.06 || Math.abs(high) * 0.1 || 1;
    [low, high] = [low - room, high + room];
    const [inner, tall] = [this.width - LEFT - RIGHT, this.height - TOP - BOTTOM];
    const span = x.max - x.min || 1;
    return {
      ...{ low, high, width: this.width, height: this.height },
      toX: (value) => LEFT + (inner * (value - x.min)) / span,
      toY: (value) => TOP + (tall * (high - value)) / (high - low),
    };
  }

  #listen(svg, frame, data) {
    const points = data.layers.filter((layer) => layer.points && layer.hover).flatMap((layer) => layer.points);
    const mark = s("circle", { class: "mark", r: 6, hidden: true });
    svg.append(mark);
    const show = (index) => {
      this.at = index;
      const point = points[index];
      mark.toggleAttribute("hidden", !point);
      if (point) {
        mark.setAttribute("cx", frame.toX(point[0]));
        mark.setAttribute("cy", frame.toY(point[1]));
      }
      this.onPoint(point ?? null);
    };
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      const [x, y] = [event.clientX - box.left, event.clientY - box.top];
      let [best, nearest] = [Infinity, -1];
      points.forEach((point, index) => {
        const far = Math.abs(frame.toX(point[0]) - x) + 0.4 * Math.abs(frame.toY(point[1]) - y);
        if (far < best) [best, nearest] = [far, index];
      });
      show(nearest);
    });
    svg.addEventListener("pointerleave", () => show(-1));
    // The arrows walk from point to point.
    svg.setAttribute("tabindex", "0");
    svg.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step || !points.length) return;
      event.preventDefault();
      show(Math.min(points.length - 1, Math.max(0, this.at + step)));
    });
    svg.addEventListener("blur", () => svg.isConnected && show(-1));
    if (this.at >= 0) show(this.at);
  }
}

function drawAxes(frame, { x, y }) {
  const right = frame.width - RIGHT;
  const bottom = frame.height - BOTTOM;
  const format = y.format ?? ((value) => number(value, 2));
  const levels = y.ticks?.filter((value) => value >= frame.low && value <= frame.high) ?? listTicks(frame.low, frame.high);
  const lines = levels.flatMap((value) => [
    s("line", { class: "grid", x1: LEFT, x2: right, y1: frame.toY(value), y2: frame.toY(value) }),
    s("text", { class: "tick", x: LEFT - 7, y: frame.toY(value) + 4, "text-anchor": "end" }, format(value)),
  ]);
  const marks = (x.ticks ?? listTicks(x.min, x.max, frame.width / 90)).filter((value) => value >= x.min && value <= x.max);
  return [
    ...lines,
    ...marks.map((value, index) =>
      s(
        "text",
        {
          class: "tick",
          x: frame.toX(value),
          y: bottom + 19,
          "text-anchor": index === 0 && frame.toX(value) < LEFT + 20 ? "start" : frame.toX(value) > right - 20 ? "end" : "middle",
        },
        x.format(value),
      ),
    ),
  ];
}

function drawLayer(frame, layer) {
  const name = layer.class;
  if (layer.kind === "band") {
    const [from, to] = [frame.toX(layer.from), frame.toX(layer.to)];
    return [
      s("rect", { class: name, x: from, width: Math.max(0, to - from), y: TOP, height: frame.height - TOP - BOTTOM }),
      layer.text && s("text", { class: "note", x: (from + to) / 2, y: TOP + (frame.height - TOP - BOTTOM) / 2, "text-anchor": "middle" }, layer.text),
    ].filter(Boolean);
  }
  if (layer.kind === "line") {
    const path = layer.points.map(([x, y]) => `${frame.toX(x).toFixed(1)},${frame.toY(y).toFixed(1)}`).join(" ");
    return path ? [s("polyline", { class: name, points: path })] : [];
  }
  return layer.points.map(([x, y]) =>
    s("circle", { class: name, cx: frame.toX(x).toFixed(1), cy: frame.toY(y).toFixed(1), r: layer.radius ?? 3 }),
  );
}

function makeLegend(layers) {
  const named = layers.filter((layer) => layer.label);
  return h(
    "figcaption",
    { class: "legend" },
    named.map((layer) => h("span", {}, h("i", { class: `key ${layer.kind} ${layer.class}`, "aria-hidden": "true" }), layer.label)),
  );
}

/** Round values between two others. */
export function listTicks(low, high, most = MOST_TICKS) {
  const rough = (high - low) / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(rough || 1));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough) ?? power;
  const ticks = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step / 1e6; value += step) {
    ticks.push(Math.abs(value) < step / 1e6 ? 0 : value);
  }
  return ticks;
}

/** Years or months between two moments, for an axis of time. */
export function listTimes(from, to) {
  const [first, last] = [new Date(from), new Date(to)];
  const years = last.getUTCFullYear() - first.getUTCFullYear();
  if (years < 2) return listTicks(from, to, 4);
  const step = Math.ceil(years / 6);
  const ticks = [];
  for (let year = first.getUTCFullYear() + 1; year <= last.getUTCFullYear(); year += step) {
    ticks.push(Date.UTC(year, 0, 1));
  }
  return ticks;
}
