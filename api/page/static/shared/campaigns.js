// Campaigns in words: what a member looks for, what was used of the budget, how all are cancelled.

import { at, call, get } from "./api.js";
import { confirm } from "./confirm.js";
import { count, counted, number } from "./format.js";
import { say } from "./shell.js";

/** What a member looks for: its goal or strategy. */
export const describeSought = (member) => member.brief || member.strategy_name || member.designer || "";

const nameMember = (member) =>
  [`member ${member.number}`, member.symbol, describeSought(member), member.seed !== null && `seed ${member.seed}`].filter(Boolean).join(", ");

/** How many members have ended. */
export const countEnded = ({ state }) => state.completed + state.failed + state.cancelled;

/** What a campaign has used, and of how much: `["60 of 300 trials", "0.2 of 8 h"]`. */
export function describeUse({ request, state }, seconds) {
  const { researches, trials, cost, hours } = request.budget ?? {};
  return [
    researches && `${count(state.begun)} of ${counted(researches, "research", "researches")}`,
    trials ? `${count(state.trials)} of ${counted(trials, "trial")}` : counted(state.trials, "trial"),
    cost ? `$${number(state.cost)} of $${number(cost)}` : state.cost > 0 && `$${number(state.cost)}`,
    hours && `${number(seconds / 3600, 1)} of ${number(hours, Number.isInteger(hours) ? 0 : 1)} h`,
  ].filter(Boolean);
}

/** Cancels a campaign after a question that names all that it hits. Returns whether it did. */
export async function cancelCampaign(operationId) {
  const { data: campaign } = await get(at("/campaigns/", operationId));
  const reason = await confirm({
    title: `Cancel the campaign ${campaign.goal}?`,
    names: ["No further member begins", ...campaign.running.map(nameMember)],
    verb: campaign.running.length ? `Cancel it and ${counted(campaign.running.length, "running member")}` : "Cancel it",
    danger: true,
    askReason: true,
  });
  if (reason === null) return false;
  await call("DELETE", at("/campaigns/", operationId), { query: { wait: 0 }, body: reason ? { reason } : {} });
  say(`${campaign.goal} is being cancelled.`);
  return true;
}
