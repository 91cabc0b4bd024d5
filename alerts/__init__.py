"""From readings to what a person is told. Pure but for the courier and its channels."""
