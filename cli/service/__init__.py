"""How the command reaches the service: the REST client and its transport."""
