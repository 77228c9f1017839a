"""Language models: which there are, what they cost, and what a research asks of them.

Only `providers` and `prices` may be imported by everybody; the rest brings the client libraries,
which take memory and a second to load.
"""
