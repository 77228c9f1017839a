"""The classifier: splits, training that can be resumed, and scores of predictions."""
