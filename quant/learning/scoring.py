"""Scores of predicted probabilities, before any trading.

All functions take labels (0.0 or 1.0) and probabilities, both of shape (rows,) and without NaN.
"""

import numpy as np
from scipy.stats import rankdata

from quant.bars.bars import Floats

_SMALLEST_PROBABILITY = 1e-15


def log_loss(labels: Floats, probabilities: Floats) -> float:
    """Return the mean negative log-likelihood of the labels, in nats."""
    clipped = np.clip(probabilities, _SMALLEST_PROBABILITY, 1.0 - _SMALLEST_PROBABILITY)
    return float(-np.mean(labels * np.log(clipped) + (1.0 - labels) * np.log1p(-clipped)))


def accuracy(labels: Floats, probabilities: Floats) -> float:
    """Return the fraction of rows whose label is on the predicted side of 0.5."""
    return float(np.mean((probabilities > 0.5) == (labels > 0.5)))


def precision(labels: Floats, probabilities: Floats) -> float | None:
    """Return the fraction of predicted rises that were rises; None if none was predicted."""
    predicted = probabilities > 0.5
    return float(np.mean(labels[predicted])) if predicted.any() else None


def recall(labels: Floats, probabilities: Floats) -> float | None:
    """Return the fraction of rises that were predicted; None if there was none."""
    rises = labels > 0.5
    return float(np.mean(probabilities[rises] > 0.5)) if rises.any() else None


def f1_score(labels: Floats, probabilities: Floats) -> float | None:
    """Return the harmonic mean of precision and recall (van Rijsbergen 1979).

    None if no rise was predicted, and there was none.
    """
    predicted, rises = probabilities > 0.5, labels > 0.5
    both = int(predicted.sum() + rises.sum())
    return 2.0 * int((predicted & rises).sum()) / both if both else None


def auc(labels: Floats, probabilities: Floats) -> float | None:
    """Return the area under the ROC curve; None if all labels are the same.

    It is computed as the Mann-Whitney statistic (Hanley and McNeil 1982).
    """
    positives = int(labels.sum())
    negatives = len(labels) - positives
    if positives == 0 or negatives == 0:
        return None
    rank_sum = float(rankdata(probabilities)[labels > 0.5].sum())
    return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives)
