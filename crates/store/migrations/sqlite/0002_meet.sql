-- Meet's own table. It points at nothing of the platform's, whose customer Meet is: a meeting is known by its id only.
CREATE TABLE meet_rooms (
    name       TEXT    NOT NULL PRIMARY KEY,
    meeting_id TEXT,
    created_at INTEGER NOT NULL,
    used_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX meet_rooms_by_use ON meet_rooms (used_at);
