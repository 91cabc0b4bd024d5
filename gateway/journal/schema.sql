-- Version 1 of the journal. Never edited again: what changes later is a numbered file in migrations/, and a new
-- journal is made by running this and then all of them, so that a migrated journal and a new one are the same.
-- Times are epoch milliseconds (*_ms). Flags are 0 or 1.

CREATE TABLE device (
    id             INTEGER PRIMARY KEY,
    name           TEXT NOT NULL UNIQUE,
    first_known_ms INTEGER                      -- null until the device is known; set once, then never changed
) STRICT;

CREATE TABLE asset (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- Ids rise in the order of arrival and are never given twice (the newest row is never deleted): they are the
-- positions that states, snapshots and senders remember. device and asset carry no REFERENCES: the writer takes
-- both ids from the same transaction, and a check would cost two look-ups a reading.
CREATE TABLE reading (
    id               INTEGER PRIMARY KEY,
    device           INTEGER NOT NULL,
    asset            INTEGER NOT NULL,
    boot             INTEGER NOT NULL,
    seq              INTEGER NOT NULL,
    observed_ms      INTEGER NOT NULL,
    received_ms      INTEGER NOT NULL,
    device_ms        INTEGER,
    clock            INTEGER NOT NULL,
    late             INTEGER NOT NULL,
    distance_mm      REAL,
    level_mm         REAL,
    fill_pct         REAL,
    temperature_c    REAL,
    tilt_deg         REAL,
    battery_pct      REAL,
    battery_v        REAL,
    rssi_dbm         REAL,
    snr_db           REAL,
    flow_m3h         REAL,
    volume_m3        REAL,
    pump_current_a   REAL,
    blower_current_a REAL,
    power_kw         REAL,
    mains_on         REAL,
    pump_on          REAL,
    float_high       REAL,
    fire_flag        REAL,
    full_flag        REAL,
    tilt_flag        REAL,
    cod_mgl          REAL,
    nh3n_mgl         REAL,
    ph               REAL
) STRICT;

-- For looking up a (device, boot, seq) older than the window in memory. The stretch (2,048 readings) comes first so
-- that a commit touches the few pages of the newest stretch; ordered by device alone, every reading of a county with
-- millions of rows dirties a page of its own (ADR on the journal; measured 40 µs a reading against under 2).
CREATE INDEX reading_mark ON reading (id >> 11, device, boot, seq);

CREATE TABLE asset_state (
    asset    INTEGER PRIMARY KEY REFERENCES asset (id),
    position INTEGER NOT NULL,                  -- the highest reading id that the state includes
    blob     BLOB NOT NULL
) STRICT;

CREATE TABLE track (
    device   INTEGER PRIMARY KEY REFERENCES device (id),
    position INTEGER NOT NULL,
    blob     BLOB NOT NULL
) STRICT;

CREATE TABLE alert (
    episode    TEXT PRIMARY KEY,
    rule       TEXT NOT NULL,
    asset      TEXT NOT NULL,
    device     TEXT NOT NULL,
    severity   TEXT NOT NULL,
    raised_ms  INTEGER NOT NULL,
    cleared_ms INTEGER,
    blob       BLOB NOT NULL,
    settled    INTEGER NOT NULL                 -- 0 while it is open, or over and somebody has still to be told so
) STRICT;
CREATE INDEX alert_open ON alert (raised_ms) WHERE NOT settled;
CREATE INDEX alert_closed ON alert (cleared_ms) WHERE cleared_ms IS NOT NULL;

CREATE TABLE event (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms    INTEGER NOT NULL,
    event    TEXT NOT NULL,
    rule     TEXT NOT NULL,
    asset    TEXT NOT NULL,
    device   TEXT NOT NULL,
    episode  TEXT NOT NULL,
    severity TEXT NOT NULL,
    detail   TEXT                               -- JSON
) STRICT;
CREATE INDEX event_asset ON event (asset, at_ms);
CREATE INDEX event_episode ON event (episode) WHERE episode <> '';

CREATE TABLE notification (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    key             TEXT NOT NULL UNIQUE,       -- law L7
    at_ms           INTEGER NOT NULL,
    rule            TEXT NOT NULL,
    asset           TEXT NOT NULL,
    episode         TEXT NOT NULL,
    severity        TEXT NOT NULL,
    kind            TEXT NOT NULL,
    step            INTEGER NOT NULL,
    repeat          INTEGER NOT NULL,
    recipient       TEXT NOT NULL,
    phone           TEXT NOT NULL,
    channel         TEXT NOT NULL,
    text            TEXT NOT NULL,
    state           TEXT NOT NULL DEFAULT 'owed'
        CHECK (state IN ('owed', 'sending', 'accepted', 'delivered', 'refused', 'failed', 'dropped')),
    attempts        INTEGER NOT NULL DEFAULT 0,
    next_attempt_ms INTEGER,
    reason          TEXT NOT NULL DEFAULT '',
    reference       TEXT NOT NULL DEFAULT '',
    accepted_ms     INTEGER,
    delivered_ms    INTEGER
) STRICT;
CREATE INDEX notification_unsettled ON notification (severity, id) WHERE state IN ('owed', 'sending');
CREATE INDEX notification_asset ON notification (asset, at_ms);
CREATE INDEX notification_episode ON notification (episode);

CREATE TABLE attempt (
    id           INTEGER PRIMARY KEY,
    notification INTEGER NOT NULL REFERENCES notification (id) ON DELETE CASCADE,
    started_ms   INTEGER NOT NULL,
    ended_ms     INTEGER,
    outcome      TEXT NOT NULL DEFAULT '',
    reason       TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX attempt_notification ON attempt (notification);

CREATE TABLE quarantine (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    received_ms INTEGER NOT NULL,
    topic       TEXT NOT NULL,
    payload     BLOB NOT NULL,
    reason      TEXT NOT NULL,
    detail      TEXT NOT NULL
) STRICT;

CREATE TABLE device_status (
    device      INTEGER PRIMARY KEY REFERENCES device (id),
    received_ms INTEGER NOT NULL,
    online      INTEGER NOT NULL,
    boot        INTEGER,
    fw          TEXT,
    device_ms   INTEGER
) STRICT;

CREATE TABLE heartbeat (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE inventory_version (
    version     INTEGER PRIMARY KEY AUTOINCREMENT,
    imported_ms INTEGER NOT NULL,
    sha256      TEXT NOT NULL,
    body        TEXT NOT NULL
) STRICT;
