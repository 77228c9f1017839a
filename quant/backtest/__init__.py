"""What an account that follows a strategy does, and figures of it."""
