"""Where finished work is kept: the ledger and the artifact store."""
