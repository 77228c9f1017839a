"""Example answers for the OpenAPI schema."""
