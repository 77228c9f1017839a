"""Messages about what the record shows: trials, hypotheses, markets and comparisons."""
