"""The definitions of the figures of a report, with their sources."""

from types import MappingProxyType
from typing import Final, NamedTuple

from quant.learning.splits import SEARCH_FOLDS, TRAINING_FOLDS


class Term(NamedTuple):
    """The definition of a figure."""

    name: str
    meaning: str
    source: str = ""


TERMS: Final = MappingProxyType(
    {
        "total_return": Term(
            "Total return", "Gain over the whole period, as a share of the starting value."
        ),
        "annual_return": Term(
            "Return per year",
            "Compound growth: (end / start) ^ (1 / years) - 1. It is not meaningful if the holdout "
            "is so short that a year of such growth would multiply the capital by more than 1,000.",
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
            "Percentiles 2.5 and 97.5 of the Sharpe ratios of 1,000 histories, resampled in blocks "
            "from the holdout's own returns.",
            "Politis and Romano (1994), The Stationary Bootstrap; Patton, Politis and White (2009)",
        ),
        "drawdown": Term("Maximum drawdown", "Largest loss from a peak, as a share of the peak."),
        "sortino": Term(
            "Sortino ratio",
            "Mean return per bar over its downside deviation from 0, times the square root of the "
            "bars per year.",
            "Sortino and Price (1994)",
        ),
        "calmar": Term("Calmar ratio", "Return per year over the maximum drawdown."),
        "worst_bar": Term("Worst bar", "Smallest return from close to close."),
        "worst_month": Term("Worst month", "Smallest return of a calendar month."),
        "record_alpha": Term(
            "Alpha over the record, per year",
            "Intercept of the regression of its returns on those of buy and hold.",
        ),
        "record_beta": Term(
            "Beta", "Slope of that regression: the share of buy and hold in the returns."
        ),
        "correlation": Term(
            "Correlation with buy and hold", "Of the returns per bar, over the record."
        ),
        "profit_factor": Term(
            "Profit factor", "Sum of all profits of trades over the sum of all losses."
        ),
        "independent": Term(
            "Independent instruments",
            "Number of uncorrelated instruments that would vary as much together: their number "
            "squared, over the sum of all squared correlations of their returns on the holdout.",
        ),
        "win_rate": Term("Winning trades", "Share of round trips with a profit after costs."),
        "exposure": Term(
            "Bars with a position", "Share of bars at whose close a position is held."
        ),
        "turnover": Term(
            "Turnover per year",
            "Value of all purchases and sales per year, over the average equity.",
        ),
        "record": Term(
            "Record",
            "The walk-forward on development bars, each predicted by a model that had not seen it, "
            "followed by the holdout.",
        ),
        "probabilistic": Term(
            "Probability of a Sharpe ratio above 0",
            "Probabilistic Sharpe ratio: the probability that the true Sharpe ratio is above 0, "
            "given the length, skew, tails and autocorrelation of the holdout's returns. It knows "
            "nothing of how many were tried, nor of a market that rises.",
            "Bailey and López de Prado (2012), The Sharpe Ratio Efficient Frontier; Lo (2002)",
        ),
        "trials": Term(
            "Trials",
            "Distinct candidates ever scored on these bars, or on others of the same market under "
            "any name, as far as this ledger knows.",
        ),
        "looks": Term(
            "Looks",
            "Distinct strategies that have traded bars of this holdout, under any name of the "
            "market. A look expires when none of them is left in the holdout.",
        ),
        "benchmark": Term(
            "Buy and hold",
            "Bought at the first open at which a strategy can buy, held to the end, without cost: "
            "the instruments themselves, or another symbol if one was chosen.",
        ),
        "luck": Term(
            "Best by chance",
            "The highest Sharpe ratio to be expected from this many worthless candidates.",
            "Bailey and López de Prado (2014), The Deflated Sharpe Ratio",
        ),
        "deflated": Term(
            "Deflated Sharpe ratio, a probability",
            "Probability, judged by the record, that the true Sharpe ratio is above the best by "
            "chance of all candidates ever tried on these bars. It is no condition of the verdict: "
            "at 95 % it is far stricter than a level of 5 %.",
            "Bailey and López de Prado (2014), The Deflated Sharpe Ratio",
        ),
        "confirmed": Term(
            "Confirmed by the holdout",
            "The same, judged by the holdout alone, against the best by chance of all models that "
            "have ever traded it.",
            "Bailey and López de Prado (2014), The Deflated Sharpe Ratio",
        ),
        "p_value": Term(
            "p-value",
            "How often returns with a mean of zero would look at least as good on the holdout; at "
            "the n-th look at it, in any of n² tries.",
            "Hansen (2005), A Test for Superior Predictive Ability; Šidák (1967)",
        ),
        "conditions": Term(
            "Conditions",
            "A strategy is promising if it meets all of them. p-values of the record count as the "
            "least of as many as candidates were tried, those of the holdout at the n-th look as "
            "the least of n².",
            "Šidák (1967)",
        ),
        "alpha": Term(
            "Alpha over buy and hold",
            "Return per year that is left after the share of buy and hold that explains most of "
            "the strategy's returns. Its error allows for autocorrelation and changing variance.",
            "Newey and West (1987)",
        ),
        "break_even": Term(
            "Break-even cost",
            "Cost per side at which nothing is left of the alpha on the holdout.",
        ),
        "track_record": Term(
            "Minimum track record",
            "Bars of such returns that would show a Sharpe ratio above 0 with 95 % certainty.",
            "Bailey and López de Prado (2012), The Sharpe Ratio Efficient Frontier",
        ),
        "random": Term(
            "Random entries",
            "The same positions, shifted circularly in time: same exposure, same trades, no "
            "timing. All shifts count but those within twice the longest period and the horizon, "
            "whose positions know the prices that they trade. The p-value is the probability that "
            "a shift does at least as well, by a normal distribution with the mean and standard "
            "deviation of their Sharpe ratios; at the n-th look at the holdout, in any of n² "
            "tries.",
        ),
        "neighbours": Term(
            "Neighbours",
            "Strategies that differ in one choice, scored as in a search: walk-forward on "
            f"development bars, {SEARCH_FOLDS} folds. The training has {TRAINING_FOLDS}, so its "
            "Sharpe ratio differs.",
        ),
        "log_loss": Term(
            "Log loss", "Mean negative log-likelihood of the outcomes; lower is better."
        ),
        "accuracy": Term("Accuracy", "Share of bars whose direction was predicted correctly."),
        "auc": Term(
            "AUC",
            "Probability that a rise was ranked above a fall.",
            "Hanley and McNeil (1982), The Meaning and Use of the Area under a ROC Curve",
        ),
        "importance": Term(
            "Split gain", "Share of the total loss reduction due to splits on the feature."
        ),
        "capacity": Term(
            "Capacity",
            "Capital at which one fully invested entry is 1 % of the median bar's volume.",
        ),
    }
)
