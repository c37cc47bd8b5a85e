-- What must last of the platform. Ids are their 26-character text, so that an operator can read the tables;
-- times are milliseconds since 1970, UTC. Nothing here is personal: a participant is a random id.

CREATE TABLE projects (
    id         TEXT    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE project_keys (
    id         TEXT    NOT NULL PRIMARY KEY,
    project_id TEXT    NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    public_key TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX project_keys_by_project ON project_keys (project_id, created_at, id);

CREATE TABLE meetings (
    id         TEXT    NOT NULL PRIMARY KEY,
    project_id TEXT    NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    status     TEXT    NOT NULL CHECK (status IN ('ready', 'running', 'ended')),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX meetings_by_project ON meetings (project_id, created_at, id);
CREATE INDEX meetings_by_end ON meetings (status, expires_at, updated_at);

CREATE TABLE participants (
    id          TEXT    NOT NULL PRIMARY KEY,
    meeting_id  TEXT    NOT NULL REFERENCES meetings (id) ON DELETE CASCADE,
    status      TEXT    NOT NULL CHECK (status IN ('ready', 'joined', 'left', 'removed')),
    -- SHA-256 of the secret. The secret has 256 random bits, so a slow hash would add nothing.
    secret_hash BLOB    NOT NULL CHECK (length(secret_hash) = 32),
    -- Grows with each new secret; tokens carry it and die with it.
    generation  INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX participants_by_meeting ON participants (meeting_id, created_at, id);

CREATE TABLE room_snapshots (
    meeting_id TEXT    NOT NULL PRIMARY KEY REFERENCES meetings (id) ON DELETE CASCADE,
    snapshot   TEXT    NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
