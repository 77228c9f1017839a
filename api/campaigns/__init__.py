"""Campaigns: many researches under one budget."""
