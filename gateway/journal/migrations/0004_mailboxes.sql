-- What waits for each number (alerts/mailbox.py), and which episodes a text for several speaks of.
CREATE TABLE mailbox (
    phone TEXT PRIMARY KEY,
    blob  BLOB NOT NULL
) STRICT;

ALTER TABLE notification ADD COLUMN covers TEXT NOT NULL DEFAULT '';  -- a JSON list of episodes, or nothing
