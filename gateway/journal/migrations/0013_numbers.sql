-- The form by which a number is compared (telemetry/phone.py): E.164 where it has one. What was written stays as it is.
-- number_key is that file's own, lent to the connection that migrates; mailboxes of other spellings follow at the next start.

ALTER TABLE notification ADD COLUMN phone_key TEXT NOT NULL DEFAULT '';
ALTER TABLE answer ADD COLUMN phone_key TEXT NOT NULL DEFAULT '';

UPDATE notification SET phone_key = number_key(phone);
UPDATE answer SET phone_key = number_key(phone);

DROP INDEX notification_phone;
DROP INDEX answer_phone;
CREATE INDEX notification_phone ON notification (phone_key, at_ms);
CREATE INDEX answer_phone ON answer (phone_key, at_ms);
