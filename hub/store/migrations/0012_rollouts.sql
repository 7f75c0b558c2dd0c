-- Roll-outs of a version of the agent: which devices, in which waves, and what became of it on each.

CREATE TABLE rollout (
    id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version         text NOT NULL,
    packages        jsonb NOT NULL,                  -- contract.release.Offer: one for each kind of machine
    steps           text[] NOT NULL,
    wave            integer NOT NULL DEFAULT 0,
    soak_s          integer NOT NULL CHECK (soak_s >= 0),
    halt_failures   integer NOT NULL CHECK (halt_failures >= 1),
    state           text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'halted', 'stopped', 'finished')),
    reason          text NOT NULL DEFAULT '',
    started_at      timestamptz NOT NULL,
    started_by      text NOT NULL,                   -- as audit_entry.who
    changed_at      timestamptz NOT NULL
);

CREATE TABLE rollout_device (
    rollout         integer NOT NULL REFERENCES rollout (id),
    device          integer NOT NULL REFERENCES device (id),
    wave            integer,                         -- null: it ran the version already
    code            text,                            -- of the command that told it
    ordered_at      timestamptz,
    fate            text CHECK (fate IN ('applied', 'went_back', 'refused', 'failed')),
    detail          text NOT NULL DEFAULT '',
    ended_at        timestamptz,
    CHECK ((fate IS NULL) = (ended_at IS NULL)),
    PRIMARY KEY (rollout, device)
) WITH (fillfactor = 70);
CREATE INDEX rollout_device_open ON rollout_device (device) WHERE fate IS NULL;

-- They are few, and looked for by when they came: the time of an event is the device's.
CREATE INDEX lifecycle_update ON lifecycle (placement, stored_at) WHERE action = 'update';
