"""Every question that a board asks of InfluxDB, and no other place has one; the contract is docs/series.md.

InfluxQL where it can say it, Flux where ids must become names, tables be joined or the last word on an episode found.
"""
