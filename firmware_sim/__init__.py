"""A simulated county that speaks the devices' own bytes. It meets the platform only over MQTT."""
