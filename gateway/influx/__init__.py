"""Points out to InfluxDB: read from the journal at an own pace, written until they are taken; nothing is asked for."""
