"""The agent as a whole: its active researches, its workers, its budget."""
