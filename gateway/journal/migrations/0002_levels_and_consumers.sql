-- What a bin's sample counted as when it arrived, and how far those have come who read the journal after the loop.

ALTER TABLE reading ADD COLUMN judged_pct REAL;

-- A row for each consumer of a stream of rows. No reading is let go before every consumer of readings is past it.
CREATE TABLE consumer (
    name     TEXT NOT NULL,
    stream   TEXT NOT NULL CHECK (stream IN ('reading', 'event', 'rollup')),
    position INTEGER NOT NULL,                  -- the highest id that it has dealt with
    PRIMARY KEY (name, stream)
) STRICT;
