"""Where uplinks come into the loop: one session, acknowledged only when all of it is durable."""
