"""Orchestration: deterministic, and nothing but orchestration."""
