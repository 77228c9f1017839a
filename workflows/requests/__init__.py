"""What requests for a research mean, before a workflow follows them."""
