"""Storage of finished work: the ledger and the artifact store."""
