-- The spine: places and devices, the ledger of streams, one typed table a kind of event, current state, presence.
-- No unique index on the event tables: an event is stored once because its number is committed once (table stream).

CREATE TYPE clock_state AS ENUM ('synced', 'repaired', 'estimated');
CREATE TYPE play_status AS ENUM ('running', 'success', 'hardware_failure', 'content_failure', 'interrupted');
CREATE TYPE panel_fact AS ENUM ('on', 'off', 'unknown');
CREATE TYPE frame_fact AS ENUM ('match', 'mismatch', 'unknown');
CREATE TYPE screen_state AS ENUM ('active', 'asleep', 'disconnected');
CREATE TYPE interaction_action AS ENUM (
    'session_start', 'language', 'page_view', 'media_play', 'search_used', 'qr_shown', 'feedback', 'session_end'
);
CREATE TYPE lifecycle_action AS ENUM ('boot', 'start', 'stop', 'clock_step', 'config', 'update');
CREATE TYPE event_kind AS ENUM ('play', 'screen', 'interaction', 'health', 'fault', 'lifecycle', 'loss');
CREATE TYPE loss_reason AS ENUM ('evicted', 'refused', 'damaged');

-- places ---------------------------------------------------------------------------------------------------------

CREATE TABLE site (
    code            text PRIMARY KEY,
    name_vi         text NOT NULL,
    province_vi     text NOT NULL,
    province_code   text NOT NULL,
    neighbour       text NOT NULL,
    gate_type       text NOT NULL,
    lat             double precision,
    lon             double precision,
    confidence      text NOT NULL DEFAULT ''
);

CREATE TABLE device (
    id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name            text NOT NULL UNIQUE,
    kind            text,
    site            text REFERENCES site (code),
    title_vi        text,
    registered_at   timestamptz,                    -- null: it reports, but nobody has registered it
    first_seen      timestamptz NOT NULL DEFAULT now()
);

-- the ledger -----------------------------------------------------------------------------------------------------

CREATE TABLE stream (
    id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device          integer NOT NULL REFERENCES device (id),
    name            uuid NOT NULL,
    committed       int8multirange NOT NULL DEFAULT '{}',
    lost            int8multirange NOT NULL DEFAULT '{}',
    first_seen      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (device, name)
) WITH (fillfactor = 50);
-- Whole and uncompressed, so that a change costs no compression; the room left in a page lets it stay in place.
ALTER TABLE stream ALTER COLUMN committed SET STORAGE EXTERNAL, ALTER COLUMN lost SET STORAGE EXTERNAL;

CREATE TABLE retired (
    stream          integer NOT NULL REFERENCES stream (id),
    kind            text NOT NULL,                   -- event_kind, or rejected: bytes that nobody could read
    events          bigint NOT NULL CHECK (events >= 0),
    PRIMARY KEY (stream, kind)
);

-- Bytes that could not be read, for 30 days at most: acts of visitors may be among them.
CREATE TABLE rejected (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device          integer NOT NULL REFERENCES device (id),
    stream          integer REFERENCES stream (id),  -- null, as is seq: not even the number could be read
    seq             bigint,
    sha256          bytea NOT NULL,
    reason          text NOT NULL,
    event           bytea NOT NULL,
    stored_at       timestamptz NOT NULL,
    times           integer NOT NULL DEFAULT 1,
    CHECK ((stream IS NULL) = (seq IS NULL))
);
CREATE UNIQUE INDEX rejected_numbered ON rejected (stream, seq) WHERE seq IS NOT NULL;
CREATE UNIQUE INDEX rejected_unnumbered ON rejected (device, sha256) WHERE seq IS NULL;

-- events ---------------------------------------------------------------------------------------------------------

CREATE TABLE play (
    time            timestamptz NOT NULL,
    device          integer NOT NULL,
    stream          integer NOT NULL,
    seq             bigint NOT NULL,
    stored_at       timestamptz NOT NULL,
    clock           clock_state NOT NULL,
    play_id         bigint NOT NULL,
    slice           integer NOT NULL,
    screen          text NOT NULL,
    player          text NOT NULL,
    content_ref     text NOT NULL,
    content_sha256  bytea,
    duration_ms     integer NOT NULL,
    status          play_status NOT NULL,
    listed          boolean,
    reported        boolean,
    rendering       boolean,
    panel           panel_fact NOT NULL,
    frame           frame_fact NOT NULL
);

CREATE TABLE screen (
    time            timestamptz NOT NULL,
    device          integer NOT NULL,
    stream          integer NOT NULL,
    seq             bigint NOT NULL,
    stored_at       timestamptz NOT NULL,
    clock           clock_state NOT NULL,
    screen          text NOT NULL,
    state           screen_state NOT NULL,
    brightness      smallint,
    volume          smallint
);

CREATE TABLE interaction (
    time            timestamptz NOT NULL,
    device          integer NOT NULL,
    stream          integer NOT NULL,
    seq             bigint NOT NULL,
    stored_at       timestamptz NOT NULL,
    clock           clock_state NOT NULL,
    session         bigint NOT NULL,
    action          interaction_action NOT NULL,
    target          text,
    language        text,
    duration_ms     integer,
    rating          smallint
);

CREATE TABLE health (
    time            timestamptz NOT NULL,
    device          integer NOT NULL,
    stream          integer NOT NULL,
    seq             bigint NOT NULL,
    stored_at       timestamptz NOT NULL,
    clock           clock_state NOT NULL,
    temperature_c   real,
    undervoltage    boolean,
    storage_errors  integer,
    disk_free_bytes bigint,
    memory_available_bytes bigint,
    uptime_s        integer,
    queue_events    integer,
    queue_oldest_s  integer,
    rtt_ms          integer,
    clock_offset_ms bigint,
    signal_dbm      smallint,
    bytes_sent      bigint,
    bytes_received  bigint
);

CREATE TABLE fault (
    time            timestamptz NOT NULL,
    device          integer NOT NULL,
    stream          integer NOT NULL,
    seq             bigint NOT NULL,
    stored_at       timestamptz NOT NULL,
    clock           clock_state NOT NULL,
    code            text NOT NULL,
    reason          text NOT NULL,
    component       text
);

CREATE TABLE lifecycle (
    time            timestamptz NOT NULL,
    device          integer NOT NULL,
    stream          integer NOT NULL,
    seq             bigint NOT NULL,
    stored_at       timestamptz NOT NULL,
    clock           clock_state NOT NULL,
    action          lifecycle_action NOT NULL,
    detail          text NOT NULL,
    step_ms         bigint
);

CREATE TABLE loss (
    time            timestamptz NOT NULL,
    device          integer NOT NULL,
    stream          integer NOT NULL,
    seq             bigint NOT NULL,
    stored_at       timestamptz NOT NULL,
    clock           clock_state NOT NULL,
    lost_stream     uuid NOT NULL,
    lost_kind       event_kind,
    ranges          int8multirange NOT NULL,
    reason          loss_reason NOT NULL
);

CREATE INDEX play_device_time ON play (device, time);
CREATE INDEX screen_device_time ON screen (device, time);
CREATE INDEX interaction_device_time ON interaction (device, time);
CREATE INDEX health_device_time ON health (device, time);
CREATE INDEX fault_device_time ON fault (device, time);
CREATE INDEX lifecycle_device_time ON lifecycle (device, time);
CREATE INDEX loss_device_time ON loss (device, time);
CREATE INDEX play_time ON play USING brin (time);
CREATE INDEX interaction_time ON interaction USING brin (time);
CREATE INDEX health_time ON health USING brin (time);

-- current state; no index on a column that changes, so that updates stay in their page ----------------------------

CREATE TABLE screen_now (
    device          integer NOT NULL REFERENCES device (id),
    screen          text NOT NULL,
    player          text NOT NULL,
    stream          integer NOT NULL,
    seq             bigint NOT NULL,
    time            timestamptz NOT NULL,
    play_id         bigint NOT NULL,
    since           timestamptz NOT NULL,            -- when this play began, as far as the hub has seen
    content_ref     text NOT NULL,
    content_sha256  bytea,
    status          play_status NOT NULL,
    listed          boolean,
    reported        boolean,
    rendering       boolean,
    panel           panel_fact NOT NULL,
    frame           frame_fact NOT NULL,
    PRIMARY KEY (device, screen, player)
) WITH (fillfactor = 50);

CREATE TABLE device_now (
    device          integer PRIMARY KEY REFERENCES device (id),
    session         text,
    session_returns integer NOT NULL DEFAULT 0,      -- how often a session came back after another: two agents, one name
    session_returned_at timestamptz,
    version         text,
    queue_events    integer,
    queue_oldest_s  integer,
    queue_full      boolean,
    queue_refused   integer,
    event_time      timestamptz,
    stored_at       timestamptz
) WITH (fillfactor = 50);

CREATE TABLE session (
    device          integer NOT NULL REFERENCES device (id),
    session         text NOT NULL,
    first_seen      timestamptz NOT NULL,
    PRIMARY KEY (device, session)
);

-- presence: an interval a connection; what is open and was not heard for long is silence, or unknown ----------------

CREATE TABLE presence (
    device          integer NOT NULL REFERENCES device (id),
    nonce           text NOT NULL,
    broker          text NOT NULL,
    since           timestamptz NOT NULL,
    seen_at         timestamptz NOT NULL,
    until           timestamptz,
    ended           text CHECK (ended IN ('stop', 'lost', 'silence', 'replaced', 'unknown')),
    CHECK ((until IS NULL) = (ended IS NULL))
) WITH (fillfactor = 50);
CREATE UNIQUE INDEX presence_open ON presence (device, nonce) WHERE until IS NULL;
CREATE INDEX presence_device_since ON presence (device, since);

CREATE TABLE hub_link (
    worker          text NOT NULL,
    broker          text NOT NULL,
    since           timestamptz NOT NULL,
    seen_at         timestamptz NOT NULL,
    until           timestamptz,
    PRIMARY KEY (worker, broker, since)
) WITH (fillfactor = 50);

CREATE TABLE incident (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind            text NOT NULL,                   -- cloned_device, hub_rollback, stream_too_ragged, rejected_event
    device          integer NOT NULL REFERENCES device (id),
    opened_at       timestamptz NOT NULL,
    last_at         timestamptz NOT NULL,
    times           integer NOT NULL DEFAULT 1,
    detail          jsonb NOT NULL DEFAULT '{}',
    closed_at       timestamptz
);
CREATE UNIQUE INDEX incident_open ON incident (kind, device) WHERE closed_at IS NULL;
