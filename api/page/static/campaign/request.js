// What a campaign was asked for, in a few lines.

import { count, counted } from "../shared/format.js";

const MOST_NAMED = 12;
const LISTS = [
  ["symbols", "Symbols"],
  ["briefs", "Goals"],
  ["strategies", "Strategies"],
  ["designers", "Designers"],
  ["seeds", "Seeds"],
];

/** Returns `[[name, text]]` of the lists whose combinations the members are, and of the rest. */
export function listAsked({ request, members }) {
  const lists = LISTS.filter(([name]) => request[name]).map(([name, title]) => [title, nameSome(request[name])]);
  return [
    ...lists,
    ["Researches", `${count(members)}, ${count(request.parallel ?? 2)} at a time`],
    request.stop_when && ["Ends early", "with the first promising member"],
    request.research?.brief && ["Goal", request.research.brief],
    request.research?.strategy && ["Strategy", request.research.strategy],
  ].filter(Boolean);
}

function nameSome(values) {
  const names = values.map((each) => (Array.isArray(each) ? each.join("+") : String(each)));
  const more = names.length - MOST_NAMED;
  return names.slice(0, MOST_NAMED).join(", ") + (more > 0 ? ` and ${counted(more, "other")}` : "");
}
