"""What the workflows and those who start and ask them agree on. Nothing here orchestrates."""
