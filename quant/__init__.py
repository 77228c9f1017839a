"""The domain: bars, strategies, models, backtests, statistics and verdicts."""
