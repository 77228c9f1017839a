"""Real parts outside the product: servers, databases, and how they fall silent."""
