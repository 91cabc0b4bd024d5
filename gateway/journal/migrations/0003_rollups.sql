-- Hourly and daily rollups (docs/series.md), and what the roller needs to go on after any end: where each asset stands,
-- which days must be computed again, and up to when readings were let go.

-- A town is an area; its rows name it by number as an asset's and a device's do.
CREATE TABLE area (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- One table a measurement, named like it, a column for each field of the row in alerts/rollups/rows.py. They are kept for
-- years and written an hour at a time for everybody, so a row lies where its window begins: an hour's rows go to the end
-- of the tree, and no second tree (a rowid's) is kept for them. A null is a field that is absent.
CREATE TABLE bin_1h (
    start_ms        INTEGER NOT NULL,
    subject         INTEGER NOT NULL,           -- asset.id
    fill_min_pct    REAL,
    fill_max_pct    REAL,
    fill_mean_pct   REAL,
    fill_last_pct   REAL,
    samples         INTEGER NOT NULL,
    known_min       REAL NOT NULL,
    over_min        REAL NOT NULL,
    emptyings       INTEGER NOT NULL,
    exposure_points REAL,
    PRIMARY KEY (start_ms, subject)
) STRICT, WITHOUT ROWID;

CREATE TABLE bin_1d (
    start_ms        INTEGER NOT NULL,
    subject         INTEGER NOT NULL,
    fill_min_pct    REAL,
    fill_max_pct    REAL,
    fill_mean_pct   REAL,
    fill_last_pct   REAL,
    samples         INTEGER NOT NULL,
    known_min       REAL NOT NULL,
    over_min        REAL NOT NULL,
    emptyings       INTEGER NOT NULL,
    exposure_points REAL,
    PRIMARY KEY (start_ms, subject)
) STRICT, WITHOUT ROWID;

CREATE TABLE plant_1h (
    start_ms            INTEGER NOT NULL,
    subject             INTEGER NOT NULL,       -- asset.id
    volume_m3           REAL,
    running_s           REAL NOT NULL,
    starts              INTEGER NOT NULL,
    state_running_s     REAL NOT NULL,
    state_idle_s        REAL NOT NULL,
    state_stopped_s     REAL NOT NULL,
    state_no_power_s    REAL NOT NULL,
    state_meter_fault_s REAL NOT NULL,
    state_offline_s     REAL NOT NULL,
    state_maintenance_s REAL NOT NULL,
    state_unknown_s     REAL NOT NULL,
    run_state           INTEGER NOT NULL,
    PRIMARY KEY (start_ms, subject)
) STRICT, WITHOUT ROWID;

CREATE TABLE plant_1d (
    start_ms            INTEGER NOT NULL,
    subject             INTEGER NOT NULL,
    volume_m3           REAL,
    running_s           REAL NOT NULL,
    starts              INTEGER NOT NULL,
    state_running_s     REAL NOT NULL,
    state_idle_s        REAL NOT NULL,
    state_stopped_s     REAL NOT NULL,
    state_no_power_s    REAL NOT NULL,
    state_meter_fault_s REAL NOT NULL,
    state_offline_s     REAL NOT NULL,
    state_maintenance_s REAL NOT NULL,
    state_unknown_s     REAL NOT NULL,
    run_state           INTEGER NOT NULL,
    load_pct            REAL,
    PRIMARY KEY (start_ms, subject)
) STRICT, WITHOUT ROWID;

CREATE TABLE device_1h (
    start_ms        INTEGER NOT NULL,
    subject         INTEGER NOT NULL,           -- device.id
    received        INTEGER NOT NULL,
    expected        REAL NOT NULL,
    battery_min_pct REAL,
    rssi_mean_dbm   REAL,
    snr_mean_db     REAL,
    delay_mean_s    REAL,
    PRIMARY KEY (start_ms, subject)
) STRICT, WITHOUT ROWID;

CREATE TABLE device_1d (
    start_ms        INTEGER NOT NULL,
    subject         INTEGER NOT NULL,
    received        INTEGER NOT NULL,
    expected        REAL NOT NULL,
    battery_min_pct REAL,
    rssi_mean_dbm   REAL,
    snr_mean_db     REAL,
    delay_mean_s    REAL,
    PRIMARY KEY (start_ms, subject)
) STRICT, WITHOUT ROWID;

CREATE TABLE town_1h (
    start_ms        INTEGER NOT NULL,
    subject         INTEGER NOT NULL,           -- area.id
    sites           REAL NOT NULL,
    sites_over      REAL NOT NULL,
    exposure_points REAL NOT NULL,
    PRIMARY KEY (start_ms, subject)
) STRICT, WITHOUT ROWID;

CREATE TABLE town_1d (
    start_ms        INTEGER NOT NULL,
    subject         INTEGER NOT NULL,
    sites           REAL NOT NULL,
    sites_over      REAL NOT NULL,
    exposure_points REAL NOT NULL,
    PRIMARY KEY (start_ms, subject)
) STRICT, WITHOUT ROWID;

-- Where each asset stands: what the next hour starts from. A null blob: nothing is known of the asset yet.
CREATE TABLE rollup_carry (
    asset INTEGER PRIMARY KEY REFERENCES asset (id),
    at_ms INTEGER NOT NULL,                     -- the end of the last hour that is in it
    blob  BLOB
) STRICT;

-- The same as it stood when a day began, for as long as a late reading may yet come. No reading of that day or of a
-- later one has an id up to ``position``: whoever looks for them begins there.
CREATE TABLE rollup_day_carry (
    day_ms   INTEGER NOT NULL,
    asset    INTEGER NOT NULL,
    position INTEGER NOT NULL,
    blob     BLOB NOT NULL,
    PRIMARY KEY (day_ms, asset)
) STRICT, WITHOUT ROWID;

-- Days that must be computed again because a reading came late. A town's follows from its bins'.
CREATE TABLE rollup_dirty (
    day_ms  INTEGER NOT NULL,
    kind    TEXT NOT NULL CHECK (kind IN ('asset', 'area')),
    subject INTEGER NOT NULL,                   -- asset.id or area.id
    PRIMARY KEY (day_ms, kind, subject)
) STRICT, WITHOUT ROWID;

-- Which rows were written, for whoever sends them on. Filled only while there is such a consumer of stream 'rollup', and
-- emptied behind it; the row itself is looked up when it is sent, so two changes of one row may be sent as one.
CREATE TABLE rollup_change (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    measurement TEXT NOT NULL,
    subject     INTEGER NOT NULL,
    start_ms    INTEGER NOT NULL
) STRICT;

-- A journal that has let readings go before did not note up to when. They came before the oldest that is left, and a
-- device's clock is believed up to five minutes ahead of ours.
INSERT INTO meta (key, value)
SELECT 'readings_let_go_ms', CAST(received_ms + 300000 AS TEXT) FROM reading
WHERE id = (SELECT min(id) FROM reading) AND id > 1;
