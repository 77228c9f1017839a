"""How fast, how exactly and how completely one research is cancelled.

Real Temporal server, worker process and API. Computation that runs a thousand times at once on a
small machine, or ends at a chosen moment, is played by stand-ins: the activities keep their names
and their processes, and a process idles inside one C call instead of computing. What is measured
with real computation says so.
"""
