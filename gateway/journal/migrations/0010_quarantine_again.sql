-- What became of an uplink in quarantine when it was looked at again: when, and committed, duplicate, past or refused.
ALTER TABLE quarantine ADD COLUMN again_ms INTEGER;
ALTER TABLE quarantine ADD COLUMN again TEXT NOT NULL DEFAULT '';
