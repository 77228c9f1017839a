"""Language models: which exist, what they cost, and what a research uses them for.

Only `providers` and `prices` may be imported everywhere. The other modules import the client
libraries, which take a second and much memory to load.
"""
