"""The living verdict: a strategy that was found is held against bars that came afterwards."""
