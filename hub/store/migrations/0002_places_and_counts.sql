-- Where a device stood when an event happened, contents as they were seen, and hourly counts that outlive the rows.

-- places of devices ------------------------------------------------------------------------------------------------

-- A placement holds from `since` until the next one of its device. Rows and counts carry its number: so moving a kiosk
-- keeps its past true, and a reader is let in by placement, not by device.
CREATE TABLE placement (
    id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device          integer NOT NULL REFERENCES device (id),
    since           timestamptz NOT NULL,            -- -infinity: it has never stood elsewhere, as far as anybody said
    site            text REFERENCES site (code),     -- null: nobody has said where it stands
    province_code   text,                            -- of the site at that time
    UNIQUE (device, since),
    CHECK ((site IS NULL) = (province_code IS NULL)),
    CHECK (since = date_trunc('hour', since, 'UTC')) -- so that no hour's count is of two places
);
CREATE INDEX placement_site ON placement (site);
INSERT INTO placement (device, since, site, province_code)
SELECT d.id, '-infinity', d.site, s.province_code FROM device d LEFT JOIN site s ON s.code = d.site ORDER BY d.id;

CREATE FUNCTION first_placement() RETURNS trigger LANGUAGE plpgsql SET search_path = hub AS $$
BEGIN
    INSERT INTO placement (device, since) VALUES (NEW.id, '-infinity');
    RETURN NULL;
END $$;
CREATE TRIGGER first_placement AFTER INSERT ON device FOR EACH ROW EXECUTE FUNCTION first_placement();

ALTER TABLE device DROP COLUMN site;
-- Counted up whenever its placements change: a worker that remembers them sees under the lock that it must not.
ALTER TABLE device ADD COLUMN moves integer NOT NULL DEFAULT 0;

CREATE VIEW device_place AS
SELECT DISTINCT ON (device) device, id AS placement, since, site, province_code
FROM placement WHERE since <= now() ORDER BY device, since DESC;

-- contents as they were seen -----------------------------------------------------------------------------------------

CREATE TABLE shown_content (
    id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    content_ref     text NOT NULL,
    content_sha256  bytea,                           -- null: the agent could not read the bytes
    first_seen      timestamptz NOT NULL DEFAULT now(),
    UNIQUE NULLS NOT DISTINCT (content_ref, content_sha256)
);

INSERT INTO shown_content (content_ref, content_sha256, first_seen)
SELECT content_ref, content_sha256, min(stored_at) FROM play GROUP BY 1, 2 ORDER BY 3;
INSERT INTO shown_content (content_ref, content_sha256)
SELECT DISTINCT content_ref, content_sha256 FROM screen_now ON CONFLICT DO NOTHING;

-- events: the same rows with placement and content; columns in the order that leaves no gaps between them -------------

ALTER TABLE play RENAME TO play_1;
CREATE TABLE play (
    time            timestamptz NOT NULL,
    seq             bigint NOT NULL,
    stored_at       timestamptz NOT NULL,
    play_id         bigint NOT NULL,
    device          integer NOT NULL,
    stream          integer NOT NULL,
    placement       integer NOT NULL,
    content         integer NOT NULL,                -- shown_content
    slice           integer NOT NULL,
    duration_ms     integer NOT NULL,
    clock           clock_state NOT NULL,
    status          play_status NOT NULL,
    panel           panel_fact NOT NULL,
    frame           frame_fact NOT NULL,
    listed          boolean,
    reported        boolean,
    rendering       boolean,
    screen          text NOT NULL,
    player          text NOT NULL
);
INSERT INTO play (time, seq, stored_at, play_id, device, stream, placement, content, slice, duration_ms, clock, status,
                  panel, frame, listed, reported, rendering, screen, player)
SELECT e.time, e.seq, e.stored_at, e.play_id, e.device, e.stream, p.id, c.id, e.slice, e.duration_ms, e.clock, e.status,
       e.panel, e.frame, e.listed, e.reported, e.rendering, e.screen, e.player
FROM play_1 e JOIN placement p ON p.device = e.device
JOIN shown_content c ON c.content_ref = e.content_ref AND c.content_sha256 IS NOT DISTINCT FROM e.content_sha256;
DROP TABLE play_1;

ALTER TABLE screen ADD COLUMN placement integer;
ALTER TABLE interaction ADD COLUMN placement integer;
ALTER TABLE health ADD COLUMN placement integer;
ALTER TABLE fault ADD COLUMN placement integer;
ALTER TABLE lifecycle ADD COLUMN placement integer;
ALTER TABLE loss ADD COLUMN placement integer;
UPDATE screen e SET placement = p.id FROM placement p WHERE p.device = e.device;
UPDATE interaction e SET placement = p.id FROM placement p WHERE p.device = e.device;
UPDATE health e SET placement = p.id FROM placement p WHERE p.device = e.device;
UPDATE fault e SET placement = p.id FROM placement p WHERE p.device = e.device;
UPDATE lifecycle e SET placement = p.id FROM placement p WHERE p.device = e.device;
UPDATE loss e SET placement = p.id FROM placement p WHERE p.device = e.device;
ALTER TABLE screen ALTER COLUMN placement SET NOT NULL;
ALTER TABLE interaction ALTER COLUMN placement SET NOT NULL;
ALTER TABLE health ALTER COLUMN placement SET NOT NULL;
ALTER TABLE fault ALTER COLUMN placement SET NOT NULL;
ALTER TABLE lifecycle ALTER COLUMN placement SET NOT NULL;
ALTER TABLE loss ALTER COLUMN placement SET NOT NULL;

DROP INDEX screen_device_time, interaction_device_time, health_device_time, fault_device_time, lifecycle_device_time,
    loss_device_time;
CREATE INDEX play_placement_time ON play (placement, time);
CREATE INDEX screen_placement_time ON screen (placement, time);
CREATE INDEX interaction_placement_time ON interaction (placement, time);
CREATE INDEX health_placement_time ON health (placement, time);
CREATE INDEX fault_placement_time ON fault (placement, time);
CREATE INDEX lifecycle_placement_time ON lifecycle (placement, time);
CREATE INDEX loss_placement_time ON loss (placement, time);
CREATE INDEX play_time ON play USING brin (time);

ALTER TABLE screen_now ADD COLUMN content integer REFERENCES shown_content (id);
UPDATE screen_now n SET content = c.id FROM shown_content c
WHERE c.content_ref = n.content_ref AND c.content_sha256 IS NOT DISTINCT FROM n.content_sha256;
ALTER TABLE screen_now ALTER COLUMN content SET NOT NULL, DROP COLUMN content_ref, DROP COLUMN content_sha256;

-- hourly counts: UTC hours; raised in the transaction that stores the rows, so each event counts once ------------------

CREATE TYPE play_grade AS ENUM ('unknown', 'not_shown', 'scheduled', 'reported', 'rendering', 'panel_on', 'frame_match');

-- The same judgement as hub/grade.py, for rebuilding counts from rows.
CREATE FUNCTION grade(listed boolean, reported boolean, rendering boolean, panel panel_fact, frame frame_fact)
RETURNS play_grade LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT (CASE
    WHEN panel = 'off' OR frame = 'mismatch' THEN 'not_shown'
    WHEN rendering IS NOT FALSE AND frame = 'match' THEN 'frame_match'
    WHEN rendering AND panel = 'on' THEN 'panel_on'
    WHEN rendering THEN 'rendering'
    WHEN reported THEN 'reported'
    WHEN listed THEN 'scheduled'
    WHEN NOT listed OR NOT reported OR NOT rendering THEN 'not_shown'
    ELSE 'unknown'
END)::play_grade $$;

CREATE TABLE play_hour (
    bucket          timestamptz NOT NULL,
    placement       integer NOT NULL,
    content         integer NOT NULL,
    grade           play_grade NOT NULL,
    plays           bigint NOT NULL,                 -- slices with number 0
    slices          bigint NOT NULL,
    shown_ms        bigint NOT NULL,                 -- durations of the slices, each in the hour in which it ended
    failed          bigint NOT NULL,                 -- slices that ended by hardware_failure or content_failure
    ended           bigint NOT NULL,                 -- last slices: how much spoke for a play in the end
    PRIMARY KEY (placement, bucket, content, grade)
) WITH (fillfactor = 70);

CREATE TABLE interaction_hour (
    bucket          timestamptz NOT NULL,
    placement       integer NOT NULL,
    action          interaction_action NOT NULL,
    target          text NOT NULL,                   -- '' where there is none
    language        text NOT NULL,                   -- '' where there is none
    interactions    bigint NOT NULL,
    duration_ms     bigint NOT NULL,
    ratings         bigint NOT NULL,
    rating_sum      bigint NOT NULL,
    PRIMARY KEY (placement, bucket, action, target, language)
) WITH (fillfactor = 70);

CREATE TABLE health_hour (
    bucket          timestamptz NOT NULL,
    placement       integer NOT NULL,
    samples         bigint NOT NULL,
    temperatures    bigint NOT NULL,                 -- how many samples know it; likewise below
    temperature_sum_dc bigint NOT NULL,              -- tenths of a degree Celsius: sums of them are exact
    undervoltage    bigint NOT NULL,                 -- samples with undervoltage
    queue_sum       bigint NOT NULL,                 -- events waiting in the outbox
    queue_oldest_sum_s bigint NOT NULL,
    rtts            bigint NOT NULL,
    rtt_sum_ms      bigint NOT NULL,
    signals         bigint NOT NULL,
    signal_sum_dbm  bigint NOT NULL,
    PRIMARY KEY (placement, bucket)
) WITH (fillfactor = 70);

CREATE TABLE fault_hour (
    bucket          timestamptz NOT NULL,
    placement       integer NOT NULL,
    code            text NOT NULL,
    component       text NOT NULL,                   -- '' where there is none
    faults          bigint NOT NULL,
    PRIMARY KEY (placement, bucket, code, component)
) WITH (fillfactor = 70);

CREATE TABLE event_hour (
    bucket          timestamptz NOT NULL,
    placement       integer NOT NULL,
    kind            event_kind NOT NULL,
    events          bigint NOT NULL,
    PRIMARY KEY (placement, bucket, kind)
) WITH (fillfactor = 70);

CREATE INDEX play_hour_bucket ON play_hour USING brin (bucket);
CREATE INDEX interaction_hour_bucket ON interaction_hour USING brin (bucket);
CREATE INDEX health_hour_bucket ON health_hour USING brin (bucket);
CREATE INDEX event_hour_bucket ON event_hour USING brin (bucket);

-- Up to where rows of a kind have been dropped after their counts went to `retired`. What arrives later and is older
-- is stored, counted, and dropped by the next `ttdn-hub maintain`.
CREATE TABLE expiry (
    kind            event_kind PRIMARY KEY,
    before          timestamptz NOT NULL
);

-- The same sums from the rows that are there: for `ttdn-hub counts`, which compares and rebuilds.
CREATE VIEW recount_play_hour AS
SELECT date_trunc('hour', time, 'UTC') AS bucket, placement, content,
       grade(listed, reported, rendering, panel, frame) AS grade,
       count(*) FILTER (WHERE slice = 0) AS plays, count(*) AS slices, sum(duration_ms)::bigint AS shown_ms,
       count(*) FILTER (WHERE status IN ('hardware_failure', 'content_failure')) AS failed,
       count(*) FILTER (WHERE status <> 'running') AS ended
FROM play GROUP BY 1, 2, 3, 4;

CREATE VIEW recount_interaction_hour AS
SELECT date_trunc('hour', time, 'UTC') AS bucket, placement, action, coalesce(target, '') AS target,
       coalesce(language, '') AS language, count(*) AS interactions, coalesce(sum(duration_ms), 0)::bigint AS duration_ms,
       count(rating) AS ratings, coalesce(sum(rating), 0)::bigint AS rating_sum
FROM interaction GROUP BY 1, 2, 3, 4, 5;

CREATE VIEW recount_health_hour AS
SELECT date_trunc('hour', time, 'UTC') AS bucket, placement, count(*) AS samples, count(temperature_c) AS temperatures,
       coalesce(sum(floor(temperature_c::double precision * 10 + 0.5)::bigint), 0)::bigint AS temperature_sum_dc,
       count(*) FILTER (WHERE undervoltage) AS undervoltage, coalesce(sum(queue_events), 0)::bigint AS queue_sum,
       coalesce(sum(queue_oldest_s), 0)::bigint AS queue_oldest_sum_s, count(rtt_ms) AS rtts,
       coalesce(sum(rtt_ms), 0)::bigint AS rtt_sum_ms, count(signal_dbm) AS signals,
       coalesce(sum(signal_dbm), 0)::bigint AS signal_sum_dbm
FROM health GROUP BY 1, 2;

CREATE VIEW recount_fault_hour AS
SELECT date_trunc('hour', time, 'UTC') AS bucket, placement, code, coalesce(component, '') AS component,
       count(*) AS faults
FROM fault GROUP BY 1, 2, 3, 4;

CREATE VIEW recount_event_hour AS
SELECT date_trunc('hour', time, 'UTC') AS bucket, placement, 'play'::event_kind AS kind, count(*) AS events
FROM play GROUP BY 1, 2
UNION ALL SELECT date_trunc('hour', time, 'UTC'), placement, 'screen', count(*) FROM screen GROUP BY 1, 2
UNION ALL SELECT date_trunc('hour', time, 'UTC'), placement, 'interaction', count(*) FROM interaction GROUP BY 1, 2
UNION ALL SELECT date_trunc('hour', time, 'UTC'), placement, 'health', count(*) FROM health GROUP BY 1, 2
UNION ALL SELECT date_trunc('hour', time, 'UTC'), placement, 'fault', count(*) FROM fault GROUP BY 1, 2
UNION ALL SELECT date_trunc('hour', time, 'UTC'), placement, 'lifecycle', count(*) FROM lifecycle GROUP BY 1, 2
UNION ALL SELECT date_trunc('hour', time, 'UTC'), placement, 'loss', count(*) FROM loss GROUP BY 1, 2;

-- First counts: of what was stored before there were any.
INSERT INTO play_hour
SELECT bucket, placement, content, grade, plays, slices, shown_ms, failed, ended FROM recount_play_hour;
INSERT INTO interaction_hour
SELECT bucket, placement, action, target, language, interactions, duration_ms, ratings, rating_sum
FROM recount_interaction_hour;
INSERT INTO health_hour
SELECT bucket, placement, samples, temperatures, temperature_sum_dc, undervoltage, queue_sum, queue_oldest_sum_s, rtts,
       rtt_sum_ms, signals, signal_sum_dbm
FROM recount_health_hour;
INSERT INTO fault_hour SELECT bucket, placement, code, component, faults FROM recount_fault_hour;
INSERT INTO event_hour SELECT bucket, placement, kind, events FROM recount_event_hour;
