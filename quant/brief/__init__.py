"""Briefs: what a reader without a language model understands of them."""
