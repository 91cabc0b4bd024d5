"""What a message costs and how soon it is durable, measured from outside: ``python -m benchmarks`` (or ``make bench``).

Every number comes from one run on one machine, both sides of a comparison in it. Nothing here is a test: it prints a
table, writes ``results/latest.json`` and ends with 0 whenever it measured. Nothing of the house imports it.

| module | is |
|---|---|
| ``__main__`` | the run, in order |
| ``load`` | the 10,000 devices, what they say, and how it is published |
| ``gateway_process``, ``bare_process``, ``replay_process`` | what is measured, each in a process of its own |
| ``children`` | starts them, waits for them, reads what they found |
| ``backlog`` | durable gateway against a bare subscriber on the same backlog; its memory afterwards |
| ``latency`` | from a crossing sample to the commit that holds its owed notification |
| ``series`` | the line encoder against the client's own, and the drain of the backlog into a real influxd |
| ``replaying`` | recorded uplinks through ``cunjing replay``'s own line |
| ``stages`` | ``python -m benchmarks.stages``: the same message, taken apart |
| ``report`` | the table and the file |
| ``township``, ``telling`` | what people are told, on the virtual clock: ``python -m benchmarks.township`` |
| ``score`` | ``python -m benchmarks.score`` (or ``make score``): how right the platform is; a package of its own |
"""
