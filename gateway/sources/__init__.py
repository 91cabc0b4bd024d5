"""Where uplinks and commands come into the loop: MQTT, and the inbox for everything else."""
