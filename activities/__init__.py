"""Side effects: computation in processes that can be killed, and writes to the ledger."""
