-- By which channel a text went, what became of it there, and what people answered.

ALTER TABLE notification ADD COLUMN template TEXT NOT NULL DEFAULT '';
ALTER TABLE notification ADD COLUMN variables TEXT NOT NULL DEFAULT '{}';   -- JSON: the facts that the text speaks of
ALTER TABLE notification ADD COLUMN call INTEGER NOT NULL DEFAULT 0;
ALTER TABLE notification ADD COLUMN via TEXT NOT NULL DEFAULT '';           -- the channel that has it, or is to have it next
ALTER TABLE notification ADD COLUMN receipt_due_ms INTEGER;                 -- when something is done if no receipt came

ALTER TABLE attempt ADD COLUMN via TEXT NOT NULL DEFAULT '';
ALTER TABLE attempt ADD COLUMN reference TEXT NOT NULL DEFAULT '';

CREATE INDEX notification_unreceipted ON notification (receipt_due_ms) WHERE state = 'accepted';
CREATE INDEX notification_phone ON notification (phone, at_ms);
CREATE INDEX attempt_reference ON attempt (reference) WHERE reference <> '';

-- One row a text that a channel took, made of all receipts that came for it, in whatever order. It may be here before
-- we have noted that the text was taken.
CREATE TABLE receipt (
    channel   TEXT NOT NULL,
    reference TEXT NOT NULL,
    delivered INTEGER NOT NULL,
    at_ms     INTEGER NOT NULL,
    reason    TEXT NOT NULL,
    PRIMARY KEY (channel, reference)
) STRICT, WITHOUT ROWID;
CREATE INDEX receipt_at ON receipt (at_ms);

-- What people wrote, understood or not. Kept as long as episodes are.
CREATE TABLE answer (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    number  TEXT NOT NULL,                      -- the provider's own for it: one reply counts once
    at_ms   INTEGER NOT NULL,
    phone   TEXT NOT NULL,
    text    TEXT NOT NULL,
    meaning TEXT NOT NULL,                      -- done, refused, doubted, callback, not_understood
    person  TEXT NOT NULL,                      -- empty: a stranger
    episode TEXT NOT NULL,                      -- empty: about nothing that we know
    UNIQUE (channel, number)
) STRICT;
CREATE INDEX answer_phone ON answer (phone, at_ms);
CREATE INDEX answer_episode ON answer (episode) WHERE episode <> '';
