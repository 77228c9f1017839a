"""Language models: which exist, what they cost, and what a research uses them for.

Only `providers` and `prices` may be imported everywhere; the rest imports the client libraries,
which take memory and a second to load.
"""
