"""The ledger: trials, looks, records, spending and what is derived from them."""
