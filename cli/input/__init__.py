"""What people typed: ids, options and several of them, and what is wrong with it."""
