"""Applied to every request, whatever its route."""
