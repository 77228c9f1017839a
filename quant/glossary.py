"""What the figures of a report mean, and where their definitions come from."""

from types import MappingProxyType
from typing import Final, NamedTuple

from quant.splits import SEARCH_FOLDS, TRAINING_FOLDS


class Term(NamedTuple):
    """A figure, explained."""

    name: str
    meaning: str
    source: str = ""


TERMS: Final = MappingProxyType(
    {
        "total_return": Term(
            "Total return", "Gain over the whole period, as a share of the start."
        ),
        "annual_return": Term(
            "Return per year", "Compound growth: (end / start) ^ (1 / years) - 1."
        ),
        "volatility": Term(
            "Volatility per year",
            "Sample standard deviation of the returns per bar, times the square root of the bars "
            "per year.",
        ),
        "sharpe": Term(
            "Sharpe ratio",
            "Mean over standard deviation of the returns per bar, times the square root of the "
            "bars per year. The risk-free rate is taken as zero.",
            "Sharpe (1994), The Sharpe Ratio; Lo (2002), The Statistics of Sharpe Ratios",
        ),
        "interval": Term(
            "95 % interval",
            "Percentiles 2.5 and 97.5 of the Sharpe ratio of 1,000 histories, put together from "
            "blocks of the holdout's own returns.",
            "Politis and Romano (1994), The Stationary Bootstrap; Patton, Politis and White (2009)",
        ),
        "drawdown": Term(
            "Maximum drawdown", "Largest loss from a highest point, as a share of it."
        ),
        "win_rate": Term("Trades with a profit", "Share of round trips that earned after costs."),
        "exposure": Term("Bars with a position", "Share of bars that end long or short."),
        "turnover": Term(
            "Turnover per year", "Everything bought and sold, over the average equity, per year."
        ),
        "record": Term(
            "Record",
            "The walk-forward on development bars, each predicted by a model that had not seen it, "
            "followed by the holdout.",
        ),
        "probabilistic": Term(
            "Probability of skill",
            "Probabilistic Sharpe ratio: how probable it is that the true Sharpe ratio is above 0, "
            "given the length, skew and tails of the holdout's returns.",
            "Bailey and López de Prado (2012), The Sharpe Ratio Efficient Frontier",
        ),
        "trials": Term(
            "Trials",
            "Distinct candidates ever scored on these bars, or on others of the same symbol and "
            "timeframe, as far as this ledger knows.",
        ),
        "looks": Term(
            "Looks",
            "Distinct models that have traded the holdout of these bars, or of others of the same "
            "symbol and timeframe.",
        ),
        "benchmark": Term(
            "Buy and hold",
            "Bought at the first open at which a strategy can buy, held to the end, without cost.",
        ),
        "luck": Term(
            "Best of luck",
            "The highest Sharpe ratio to be expected from so many worthless candidates.",
            "Bailey and López de Prado (2014), The Deflated Sharpe Ratio",
        ),
        "deflated": Term(
            "Deflated Sharpe ratio",
            "How probable it is that the true Sharpe ratio is above the best of luck of all "
            "candidates ever tried on these bars, by the record.",
            "Bailey and López de Prado (2014), The Deflated Sharpe Ratio",
        ),
        "confirmed": Term(
            "Confirmed by the holdout",
            "The same by the holdout alone, against the best of luck of all models that have ever "
            "traded it.",
            "Bailey and López de Prado (2014), The Deflated Sharpe Ratio",
        ),
        "p_value": Term(
            "p-value",
            "How often returns without a mean would look at least as good on the holdout as these; "
            "at the n-th look at it, in any of n² tries.",
            "Hansen (2005), A Test for Superior Predictive Ability; Šidák (1967)",
        ),
        "track_record": Term(
            "Minimum track record",
            "Bars of such returns after which a Sharpe ratio above 0 would be 95 % certain.",
            "Bailey and López de Prado (2012), The Sharpe Ratio Efficient Frontier",
        ),
        "random": Term(
            "Random entries",
            "The same positions, shifted in a circle by a random number of bars: same exposure, "
            "same trades, no timing. The p-value is the probability that one of them does at least "
            "as well, by a normal distribution with the mean and spread of their Sharpe ratios: a "
            "share of 500 could not tell one in a thousand. At the n-th look at the holdout, in "
            "any of n² tries.",
        ),
        "neighbours": Term(
            "Neighbours",
            "Strategies that differ in one choice, scored as in a search: walk-forward on "
            f"development bars, {SEARCH_FOLDS} folds. The training has {TRAINING_FOLDS}, so its "
            "Sharpe ratio differs.",
        ),
        "log_loss": Term(
            "Log loss", "Mean negative log-likelihood of what happened; lower is better."
        ),
        "accuracy": Term("Accuracy", "Share of bars whose direction was predicted."),
        "auc": Term(
            "AUC",
            "Probability that a rise was given a higher probability than a fall.",
            "Hanley and McNeil (1982), The Meaning and Use of the Area under a ROC Curve",
        ),
        "importance": Term(
            "Split gain", "What the splits on a feature have reduced the loss by, as a share."
        ),
        "capacity": Term(
            "Capacity",
            "Capital of which one entry, fully invested, is 1 % of the median bar's volume.",
        ),
    }
)
