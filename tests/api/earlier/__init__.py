"""Tests of what earlier clients send, and of what they read."""
