"""Bars, markets and models for tests, and the oracle of the account."""
