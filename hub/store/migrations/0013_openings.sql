-- Which opening of which outbox of a device was heard last: one that comes back is a card that was put back, or copied.

CREATE TABLE opening (
    device          integer NOT NULL REFERENCES device (id),
    outbox          uuid NOT NULL,
    number          bigint NOT NULL,                 -- how often that outbox was opened for writing
    session         text NOT NULL,                   -- the run that said so
    since           timestamptz NOT NULL,            -- when it was first heard
    told            text NOT NULL DEFAULT '',        -- the run of which an incident has told
    PRIMARY KEY (device, outbox)
) WITH (fillfactor = 50);
