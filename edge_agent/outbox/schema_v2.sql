-- The outbox of an agent, version 2: it is told apart from others, and knows how often it was opened for writing.
-- A card that is put back to an earlier state, or copied, counts the same opening twice; the hub sees that.
CREATE TABLE identity (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    outbox      TEXT NOT NULL,          -- 128 random bits in hex
    openings    INTEGER NOT NULL        -- those that have appended something
) STRICT;
INSERT INTO identity (one, outbox, openings) VALUES (1, lower(hex(randomblob(16))), 0);

-- Events whose time is not final. Only what is in here costs anything.
CREATE INDEX event_unsealed ON event (stream, seq) WHERE sealed = 0;
