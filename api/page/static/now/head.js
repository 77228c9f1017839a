// The head line: what computes, what waits, and how long it takes.

import { byId, h, replaceIfChanged } from "../shared/dom.js";
import { count, counted, duration } from "../shared/format.js";

export function showHead(head) {
  const parts = [
    [head.computing, "computing"],
    [head.waiting, "waiting"],
    head.retrying && [head.retrying, "retrying"],
    head.paused && [head.paused, "paused"],
    head.stopping && [head.stopping, "stopping"],
    [head.slots, head.slots === 1 ? "slot" : "slots"],
  ].filter(Boolean);
  const pace = head.seconds_per_research;
  replaceIfChanged(byId("head"), [parts, pace], () => [
    ...parts.flatMap(([value, word], index) => [
      index ? ", " : "",
      h("b", { class: "figure" }, count(value)),
      ` ${word}`,
    ]),
    pace ? `, about ${duration(pace)} per research` : "",
  ]);
  document.title = `${counted(head.computing, "computing", "computing")}, ${head.waiting} waiting · ktrdr`;
}
