"""The county on Grafana: boards as code, committed as classic JSON, checked and pushed.

The SDK that builds them is a tool of development; whoever pushes reads the committed JSON and never imports it.
"""
