"""The processes that compute: forked, warmed, bounded, and killed on cancel."""
