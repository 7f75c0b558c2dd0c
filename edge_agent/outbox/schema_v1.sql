-- The outbox of an agent, version 1.
-- One row per opening that appended something. Its numbers are never continued by a later opening.
CREATE TABLE stream (
    id      INTEGER PRIMARY KEY,
    name    TEXT NOT NULL UNIQUE,       -- contract.ids.StreamId
    boot    TEXT NOT NULL               -- boot id of the machine: at_ms of its events counts in this boot
) STRICT;

CREATE TABLE event (
    stream  INTEGER NOT NULL REFERENCES stream (id),
    seq     INTEGER NOT NULL,
    kind    INTEGER NOT NULL,           -- index into contract.events.KINDS
    at_ms   INTEGER NOT NULL,           -- CLOCK_BOOTTIME
    sealed  INTEGER NOT NULL,           -- 1: the time is final, so the bytes are
    body    BLOB NOT NULL,              -- the event as it travels
    PRIMARY KEY (stream, seq)
) STRICT, WITHOUT ROWID;

-- What the hub has said it holds; a hint only, for the next hello's answer replaces it.
CREATE TABLE covered (
    stream      INTEGER NOT NULL REFERENCES stream (id),
    first       INTEGER NOT NULL,
    last        INTEGER NOT NULL,
    since_ms    INTEGER NOT NULL,       -- the hub's time, Unix ms: the grace of these events runs from here
    PRIMARY KEY (stream, first)
) STRICT, WITHOUT ROWID;
