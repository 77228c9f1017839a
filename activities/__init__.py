"""Side effects: compute in processes that can be killed, and the ledger."""
