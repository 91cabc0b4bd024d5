-- The ledger (台账). A case as it stands now, whole in its blob, with what lists are filtered by; and its history, a
-- line for everything that was done about it, which is never changed and goes only with its case.
CREATE TABLE ledger_case (
    number      INTEGER PRIMARY KEY AUTOINCREMENT, -- in the order of opening
    id          TEXT NOT NULL UNIQUE,
    town        TEXT NOT NULL,
    day         TEXT NOT NULL,
    in_day      INTEGER NOT NULL,
    state       TEXT NOT NULL,
    origin      TEXT NOT NULL,
    rule        TEXT NOT NULL,
    severity    TEXT NOT NULL,
    asset       TEXT NOT NULL,
    within      TEXT NOT NULL,                     -- every area of it between slashes
    place       TEXT NOT NULL,
    what        TEXT NOT NULL,
    owner       TEXT NOT NULL,
    caller      TEXT NOT NULL,
    episode     TEXT NOT NULL,
    opened_ms   INTEGER NOT NULL,
    deadline_ms INTEGER NOT NULL,
    closed_ms   INTEGER NOT NULL,                  -- 0 until it is
    blob        BLOB NOT NULL,
    settled     INTEGER NOT NULL
) STRICT;
CREATE INDEX ledger_case_unsettled ON ledger_case (number) WHERE NOT settled;
CREATE INDEX ledger_case_numbers ON ledger_case (day, town, in_day);

CREATE TABLE ledger_deed (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    "case" TEXT NOT NULL REFERENCES ledger_case (id) ON DELETE CASCADE,
    at_ms  INTEGER NOT NULL,
    deed   TEXT NOT NULL,
    by     TEXT NOT NULL,                          -- empty: the house itself
    channel TEXT NOT NULL,
    origin TEXT NOT NULL,
    was    TEXT NOT NULL,
    now    TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE INDEX ledger_deed_case ON ledger_deed ("case", id);
CREATE TRIGGER ledger_deed_stays BEFORE UPDATE ON ledger_deed
BEGIN
    SELECT RAISE(ABORT, 'a line of the ledger''s history is never changed');
END;
