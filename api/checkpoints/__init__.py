"""Checkpoints: what an operation that has not completed can be resumed from."""
