// What was used up on each symbol and timeframe, and what that costs the next research.

import { get } from "../shared/api.js";
import { byId, h, replaceIfChanged, throttle } from "../shared/dom.js";
import { count, counted, MISSING, moment, number, ordinal, utc } from "../shared/format.js";

const PAGE = 20;
const MOST = 100;
const PAUSE = 300;

export class Markets {
  #limit = PAGE;

  constructor() {
    this.trials = byId("market-trials");
    byId("market-form").addEventListener("submit", (event) => event.preventDefault());
    this.trials.addEventListener("input", throttle(PAUSE, () => this.read()));
    byId("more-markets").addEventListener("click", () => {
      this.#limit = MOST;
      this.read();
    });
  }

  async read() {
    if (!this.trials.checkValidity() || !this.trials.value) return;
    const trials = Number(this.trials.value);
    const { data, total_count: total } = await get("/markets", { trials, limit: this.#limit });
    replaceIfChanged(byId("market-rows"), [trials, data], () => (data.length ? data.map((market) => makeRow(market, trials)) : makeEmpty()));
    byId("more-markets").hidden = data.length >= total || this.#limit === MOST;
  }
}

function makeRow(market, trials) {
  const last = market.last_research_at;
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, `${market.symbol} ${market.timeframe}`),
    ...[market.researches, market.trials_ever, market.holdout_looks].map((each) => h("td", { class: "number" }, count(each))),
    h("td", { class: "number" }, number(market.expected_best_sharpe)),
    h("td", { class: "number" }, number(market.required_sharpe)),
    h("td", {}, `${ordinal(market.next_look)} look at the holdout, ${counted(trials, "candidate")} more`),
    h("td", {}, last ? h("time", { datetime: last, title: utc(last) }, moment(last)) : MISSING),
  );
}

const makeEmpty = () => h("tr", {}, h("td", { colspan: 8, class: "quiet" }, "No research has ended yet."));
