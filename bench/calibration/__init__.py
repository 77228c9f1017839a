"""How often a verdict is right: whole researches on series whose truth is known."""
