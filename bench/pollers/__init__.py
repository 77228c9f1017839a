"""Fixed pollers against those that scale themselves."""
