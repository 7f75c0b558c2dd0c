-- What the hub wants of devices: their configuration, and commands, with what became of both.

CREATE TABLE device_config (
    device          integer PRIMARY KEY REFERENCES device (id),
    revision        integer NOT NULL CHECK (revision >= 1), -- rises; never falls behind what the device has reported
    settings        jsonb NOT NULL,                  -- hub/fleet/wanted.py, without the revision
    set_at          timestamptz NOT NULL,
    set_by          text NOT NULL,                   -- as audit_entry.who
    reported        integer NOT NULL DEFAULT 0,      -- the revision that the device last said is in force
    reported_at     timestamptz,
    hello_at        timestamptz,
    sent_revision   integer,
    sent_at         timestamptz,
    sends           integer NOT NULL DEFAULT 0,      -- of sent_revision
    refused_revision integer,
    refused_at      timestamptz,
    detail          text NOT NULL DEFAULT ''         -- what the device said to the revision that it answered last
) WITH (fillfactor = 50);
CREATE INDEX device_config_open ON device_config (device) WHERE reported <> revision;

CREATE TABLE device_command (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code            text NOT NULL UNIQUE CHECK (code ~ '^[0-9a-f]{16}$'), -- how the wire calls it
    device          integer NOT NULL REFERENCES device (id),
    province_code   text,                            -- where it stood when the command was given, as was known then
    name            text NOT NULL,
    args            jsonb NOT NULL DEFAULT '{}',
    issued_at       timestamptz NOT NULL,
    issued_by       text NOT NULL,                   -- as audit_entry.who
    expires_at      timestamptz NOT NULL CHECK (expires_at > issued_at),
    sent_at         timestamptz,
    due_at          timestamptz NOT NULL,            -- when it is sent next
    sends           integer NOT NULL DEFAULT 0,
    -- expired: never done; unanswered: it went out, and nobody knows; withdrawn: the hub sends it no longer
    outcome         text CHECK (outcome IN ('done', 'refused', 'failed', 'expired', 'unanswered', 'withdrawn')),
    replied_at      timestamptz,
    detail          text NOT NULL DEFAULT '',
    picture_type    text,
    picture         bytea                            -- goes after 30 days, or when 20 newer ones of its device have come
) WITH (fillfactor = 70);
CREATE INDEX device_command_open ON device_command (device) WHERE outcome IS NULL;
CREATE INDEX device_command_device ON device_command (device, id);
CREATE INDEX device_command_picture ON device_command (device, id) WHERE picture IS NOT NULL;
