"""What the operations service costs beside bare calls with the SDK."""
