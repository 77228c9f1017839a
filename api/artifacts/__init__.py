"""Deletes artifacts. The record of their operation is kept."""
