// The screen "Campaigns and watches": what goes on for longer than one research.

import { readAddress, writeAddress } from "../shared/address.js";
import { byId, setText, throttle } from "../shared/dom.js";
import { showCaller } from "../shared/shell.js";
import { follow } from "../shared/stream.js";
import { Campaigns } from "./campaigns.js";
import { Evidence } from "./evidence.js";
import { Watches } from "./watches.js";

const PAUSE = 300;
// Watches are in no feed. They look for bars once in an hour or a day.
const ANEW = 30_000;

const caller = await showCaller();
const form = byId("filters");
const chosen = readAddress(["owner", "watch"]);
form.elements.owner.value = chosen.owner;
const evidence = new Evidence(chosen.watch);
const [campaigns, watches] = [new Campaigns(caller, chosen), new Watches(caller, chosen, evidence)];

const sayProblem = (problem) => setText(byId("filter-problem"), problem?.message ?? "");
const readAll = () => {
  sayProblem(null);
  return Promise.all([campaigns.read(), watches.read()]).catch(sayProblem);
};

let feed = null;
const begin = () => {
  feed?.stop();
  feed = follow("/operations/events", { owner: chosen.owner, operation_type: "campaign", active_only: true }, {
    open: readAll,
    event: (_, { rows }) => campaigns.take(rows),
    refused: sayProblem,
  });
};

const take = throttle(PAUSE, () => {
  chosen.owner = form.elements.owner.value.trim();
  writeAddress({ owner: chosen.owner });
  begin();
});
form.addEventListener("input", take);
form.addEventListener("reset", take);
form.addEventListener("submit", (event) => event.preventDefault());
setInterval(() => document.hidden || readAll(), ANEW);
begin();
