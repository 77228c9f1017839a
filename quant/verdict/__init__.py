"""The judgement of a strategy: gates, statistics, verdict and remarks."""
