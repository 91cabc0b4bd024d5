-- How a LoRaWAN frame is known again: eight bytes of hash of its deduplicationId and eight of its payload, zeros for what
-- is not there. Null for readings of native devices, and for those stored before: they are known by device_ms.
ALTER TABLE reading ADD COLUMN fingerprint BLOB;

-- Uplinks by which a device lived but measured nothing. They are no readings; seq is -1 for a join, which counts nothing.
CREATE TABLE sign_of_life (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    device      INTEGER NOT NULL REFERENCES device (id),
    boot        INTEGER NOT NULL,
    seq         INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    device_ms   INTEGER,
    fingerprint BLOB NOT NULL
) STRICT;
CREATE INDEX sign_of_life_frame ON sign_of_life (device, seq);

-- What was not as it should be in what a device said while the rest of it counted. A row for each device, kind (refused,
-- partial, restarted, port) and, where values are refused, quantity; it goes when it was not renewed for long.
CREATE TABLE anomaly (
    device   INTEGER NOT NULL REFERENCES device (id),
    kind     TEXT NOT NULL,
    subject  TEXT NOT NULL,                     -- the quantity; empty where the kind says all
    since_ms INTEGER NOT NULL,
    last_ms  INTEGER NOT NULL,
    times    INTEGER NOT NULL,
    reason   TEXT NOT NULL,                     -- why a value was refused the last time
    detail   TEXT NOT NULL,                     -- of the last time, in a sentence or the bytes
    PRIMARY KEY (device, kind, subject)
) STRICT, WITHOUT ROWID;
