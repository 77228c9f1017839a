"""How long the tasks of the workflows take on a busy machine."""
