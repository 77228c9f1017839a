"""REST API: resolves operation ids to workflow handles."""
