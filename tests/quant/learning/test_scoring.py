import numpy as np
import pytest

from quant.learning.scoring import accuracy, auc, f1_score, log_loss, precision, recall

LABELS = np.array([1.0, 0.0, 1.0, 1.0])
PROBABILITIES = np.array([0.9, 0.6, 0.6, 0.2])


def test_log_loss_is_the_mean_negative_log_likelihood() -> None:
    expected = -(np.log(0.9) + np.log(0.4) + np.log(0.6) + np.log(0.2)) / 4
    assert log_loss(LABELS, PROBABILITIES) == pytest.approx(expected)


def test_log_loss_of_certainty_gone_wrong_is_finite() -> None:
    assert log_loss(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == pytest.approx(34.5, abs=0.1)


def test_accuracy_counts_the_right_side_of_one_half() -> None:
    assert accuracy(LABELS, PROBABILITIES) == 0.5


def test_auc_counts_pairs_in_the_right_order_and_ties_half() -> None:
    assert auc(LABELS, PROBABILITIES) == pytest.approx((1.0 + 0.5 + 0.0) / 3)


def test_auc_of_one_class_is_undefined() -> None:
    assert auc(np.ones(3), np.array([0.1, 0.2, 0.3])) is None


def test_precision_and_recall_are_of_predicted_and_of_true_rises() -> None:
    """Three rises are predicted and three are true; two are both."""
    assert precision(LABELS, PROBABILITIES) == pytest.approx(2 / 3)
    assert recall(LABELS, PROBABILITIES) == pytest.approx(2 / 3)
    assert f1_score(LABELS, PROBABILITIES) == pytest.approx(2 / 3)


def test_without_any_rise_precision_and_recall_are_undefined() -> None:
    none = np.zeros(3)
    low, high = np.full(3, 0.1), np.full(3, 0.9)
    assert (precision(none, low), recall(none, low), f1_score(none, low)) == (None, None, None)
    assert (precision(none, high), recall(none, high), f1_score(none, high)) == (0.0, None, 0.0)
