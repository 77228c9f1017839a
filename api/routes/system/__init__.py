"""Routes about the service itself, and those that others than clients call."""
