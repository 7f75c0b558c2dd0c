-- Incidents that a named person takes in hand, and who was told of them.

ALTER TABLE incident
    ADD COLUMN subject text NOT NULL DEFAULT '',     -- what it is about within the device: a content's reference
    ADD COLUMN placement integer REFERENCES placement (id),
    ADD COLUMN first_day date,                       -- of a content: the local days on which it was shown like this
    ADD COLUMN last_day date,
    ADD COLUMN acknowledged_at timestamptz,
    ADD COLUMN acknowledged_by text,                 -- a person's name
    ADD COLUMN closed_by text,                       -- a person's name, catalogue, or the kinds that a change made of it
    ADD CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL)),
    ADD CHECK (closed_at IS NOT NULL OR closed_by IS NULL),
    ADD CHECK ((first_day IS NULL) = (last_day IS NULL)),
    ADD CHECK (first_day <= last_day);
UPDATE incident i SET placement = p.placement FROM device_place p WHERE p.device = i.device;
DROP INDEX incident_open;
-- One a place: when a device is carried elsewhere, what it goes on doing there is another province's to answer for.
CREATE UNIQUE INDEX incident_open ON incident (kind, device, subject, placement) WHERE closed_at IS NULL;
CREATE INDEX incident_waiting ON incident (opened_at) WHERE closed_at IS NULL AND acknowledged_at IS NULL;

-- A step of the escalation that was tried; it counts as told once it was sent.
CREATE TABLE notice (
    incident        bigint NOT NULL REFERENCES incident (id) ON DELETE CASCADE,
    after_s         integer NOT NULL,
    channel         text NOT NULL,
    target          text NOT NULL,
    tries           integer NOT NULL,
    tried_at        timestamptz NOT NULL,
    sent_at         timestamptz,
    error           text,                            -- of the last try
    PRIMARY KEY (incident, after_s, channel, target)
);
