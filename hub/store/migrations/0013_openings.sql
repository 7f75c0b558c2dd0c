-- Which opening of which outbox of a device was heard last: one that comes back is a card that was put back, or copied.

CREATE TABLE opening (
    device          integer NOT NULL REFERENCES device (id),
    outbox          uuid NOT NULL,
    number          bigint NOT NULL,                 -- how often that outbox was opened for writing
    since           timestamptz NOT NULL,            -- when that was first heard
    sessions        text[] NOT NULL,                 -- the latest runs that were heard, the one that said it last
    PRIMARY KEY (device, outbox)
) WITH (fillfactor = 50);
