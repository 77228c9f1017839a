// The screen "The record": experiments, what they have used up, and what they have suggested.

import { get } from "../shared/api.js";
import { byId, throttle } from "../shared/dom.js";
import { isActive } from "../shared/operations.js";
import { may, showCaller } from "../shared/shell.js";
import { follow } from "../shared/stream.js";
import { Comparison } from "./comparison.js";
import { eraseOld } from "./erase.js";
import { Experiments } from "./experiments.js";
import { Hypotheses } from "./hypotheses.js";
import { Markets } from "./markets.js";
import { Selection } from "./selection.js";
import { showTags } from "./tags.js";

// The record of a research is written a moment before its end is seen.
const PAUSE = 500;
// Notes and tags that others write are in no feed.
const ANEW = 30_000;

const caller = await showCaller();
const comparison = new Comparison();
const experiments = new Experiments(caller, () => selection.show());
const selection = new Selection(caller, experiments, comparison);
const [markets, hypotheses] = [new Markets(), new Hypotheses()];

const old = byId("erase-old");
old.hidden = !may(caller, "run");
old.addEventListener("click", () => eraseOld(caller));

const readAll = throttle(PAUSE, () => {
  experiments.read();
  markets.read();
  hypotheses.read();
  get("/tags").then(showTags);
});
// What has ended is in the record; what runs is not.
follow("/operations/events", () => ({ active_only: true }), {
  open: readAll,
  event: (_, { rows }) => {
    if (rows.some((row) => !isActive(row))) readAll();
  },
  refused: readAll,
});
setInterval(() => document.hidden || readAll(), ANEW);
