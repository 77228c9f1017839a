"""How processes talk to the Temporal server."""
