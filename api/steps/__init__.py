"""Trainings and backtests outside any research, and the models that trainings leave behind."""
