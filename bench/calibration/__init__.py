"""How often a verdict is right: whole researches on series of which one knows the truth."""
