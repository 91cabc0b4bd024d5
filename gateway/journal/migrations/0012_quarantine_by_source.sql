-- Whose a refused uplink is: its topic without the last word, which in every envelope is one device's. What each source has
-- in quarantine is counted beside it, so that the junk of one never costs the evidence of another (case H10).
ALTER TABLE quarantine ADD COLUMN source TEXT GENERATED ALWAYS AS (rtrim(rtrim(topic, replace(topic, '/', '')), '/')) VIRTUAL;
CREATE INDEX quarantine_of_source ON quarantine (source, id);

CREATE TABLE quarantine_source (
    source  TEXT PRIMARY KEY,
    rows    INTEGER NOT NULL,                   -- kept now
    bytes   INTEGER NOT NULL,                   -- of these, with 100 a row for what SQLite adds
    refused INTEGER NOT NULL,                   -- ever, kept or let go
    last_ms INTEGER NOT NULL                    -- when the last one came
) STRICT, WITHOUT ROWID;

INSERT INTO quarantine_source (source, rows, bytes, refused, last_ms)
SELECT source, count(*), sum(100 + length(payload) + octet_length), count(*), max(received_ms)
FROM (SELECT *, length(CAST(topic || detail AS BLOB)) AS octet_length FROM quarantine) GROUP BY source;

CREATE TRIGGER quarantine_comes AFTER INSERT ON quarantine
BEGIN
    INSERT INTO quarantine_source (source, rows, bytes, refused, last_ms)
    VALUES (new.source, 1, 100 + length(new.payload) + length(CAST(new.topic || new.detail AS BLOB)), 1, new.received_ms)
    ON CONFLICT (source) DO UPDATE SET
        rows = rows + 1, bytes = bytes + excluded.bytes, refused = refused + 1, last_ms = max(last_ms, excluded.last_ms);
END;

CREATE TRIGGER quarantine_goes AFTER DELETE ON quarantine
BEGIN
    UPDATE quarantine_source
    SET rows = rows - 1, bytes = bytes - 100 - length(old.payload) - length(CAST(old.topic || old.detail AS BLOB))
    WHERE source = old.source;
END;

-- Looked at again, a refusal may get other words.
CREATE TRIGGER quarantine_changes AFTER UPDATE OF detail ON quarantine
BEGIN
    UPDATE quarantine_source
    SET bytes = bytes + length(CAST(new.detail AS BLOB)) - length(CAST(old.detail AS BLOB))
    WHERE source = old.source;
END;
