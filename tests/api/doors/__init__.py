"""Tests of who gets in, and of how much at once."""
