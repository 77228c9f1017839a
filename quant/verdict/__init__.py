"""What the figures of a strategy are worth."""
