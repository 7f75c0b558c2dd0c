-- The schema `report`: the only thing that readers get (Grafana, boards, reports, the ministry). Whoever logs in sees
-- what happened at places of their provinces while it happened there; who that is, is said by the name of the login
-- (session_user), which no statement can change. `ttdn-hub roles` makes the logins.

-- A function that views of readers call is bound to what its words mean when it is made, not when it is called.
CREATE OR REPLACE FUNCTION grade(listed boolean, reported boolean, rendering boolean, panel panel_fact, frame frame_fact)
RETURNS play_grade LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (CASE
    WHEN panel = 'off' OR frame = 'mismatch' THEN 'not_shown'
    WHEN rendering IS NOT FALSE AND frame = 'match' THEN 'frame_match'
    WHEN rendering AND panel = 'on' THEN 'panel_on'
    WHEN rendering THEN 'rendering'
    WHEN reported THEN 'reported'
    WHEN listed THEN 'scheduled'
    WHEN NOT listed OR NOT reported OR NOT rendering THEN 'not_shown'
    ELSE 'unknown'
END)::play_grade;

-- How many numbers a set of ranges holds.
CREATE FUNCTION numbers_in(ranges int8multirange) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT coalesce(sum(upper(r) - lower(r)), 0)::bigint FROM unnest(ranges) r);

-- Placements with the moment up to which they hold.
CREATE VIEW stay AS
SELECT id AS placement, device, since, lead(since, 1, 'infinity') OVER (PARTITION BY device ORDER BY since) AS until,
       site, province_code
FROM placement;

-- what was published ----------------------------------------------------------------------------------------------

-- Written once, never changed (hub/visitors/published.py says why). No reference to the registry: it outlives that.
CREATE TABLE published_visitors (
    month           date NOT NULL CHECK (extract(day FROM month) = 1), -- of local time
    site            text NOT NULL,
    language        text NOT NULL,
    province_code   text NOT NULL,                   -- of the site's gate at the end of the month
    sessions        integer CHECK (sessions >= 5 AND sessions % 5 = 0),
    flag            text CHECK (flag = 'c'),         -- suppressed: too few
    published_at    timestamptz NOT NULL,
    PRIMARY KEY (month, site, language),
    CHECK ((sessions IS NULL) = (flag IS NOT NULL))
);

CREATE FUNCTION published_visitors_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was published is never changed: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER published_visitors_stay BEFORE UPDATE OR DELETE ON published_visitors
    FOR EACH ROW EXECUTE FUNCTION published_visitors_stay();
CREATE TRIGGER published_visitors_stay_whole BEFORE TRUNCATE ON published_visitors
    FOR EACH STATEMENT EXECUTE FUNCTION published_visitors_stay();
ALTER TABLE published_visitors ENABLE ALWAYS TRIGGER published_visitors_stay,
    ENABLE ALWAYS TRIGGER published_visitors_stay_whole;

-- who reads ---------------------------------------------------------------------------------------------------------

CREATE TABLE reader (
    role            name PRIMARY KEY,                -- a login of PostgreSQL
    provinces       text[] CHECK (provinces <> '{}'), -- null: all of them, and what stands in none
    exact           boolean NOT NULL                 -- sees exact figures of visitors; else what was published
);

CREATE SCHEMA report;

-- A view asks these once a query: `placement = ANY ((SELECT report.my_placements())::integer[])`. Written so, and not
-- as IN (SELECT ...), TimescaleDB passes over compressed segments of other placements.
CREATE FUNCTION report.my_placements() RETURNS integer[]
LANGUAGE sql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN (
    SELECT coalesce(array_agg(p.id ORDER BY p.id), '{}') FROM placement p
    JOIN reader r ON r.provinces IS NULL OR p.province_code = ANY (r.provinces) WHERE r.role = session_user
);
COMMENT ON FUNCTION report.my_placements() IS 'placements (stays of devices at a site) whose rows this login may see';

CREATE FUNCTION report.my_devices() RETURNS integer[]
LANGUAGE sql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN (
    SELECT coalesce(array_agg(p.device ORDER BY p.device), '{}') FROM device_place p
    JOIN reader r ON r.provinces IS NULL OR p.province_code = ANY (r.provinces) WHERE r.role = session_user
);
COMMENT ON FUNCTION report.my_devices() IS 'devices that stand now where this login may see them';

CREATE FUNCTION report.my_provinces() RETURNS text[]
LANGUAGE sql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN (
    SELECT coalesce(array_agg(p.code ORDER BY p.code), '{}') FROM province p
    JOIN reader r ON r.provinces IS NULL OR p.code = ANY (r.provinces) WHERE r.role = session_user
);
COMMENT ON FUNCTION report.my_provinces() IS 'codes of the provinces of this login';

CREATE FUNCTION report.is_reader() RETURNS boolean
LANGUAGE sql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN EXISTS (SELECT FROM reader r WHERE r.role = session_user);
COMMENT ON FUNCTION report.is_reader() IS 'whether this login reads anything: for what is of no province';

CREATE FUNCTION report.is_exact() RETURNS boolean
LANGUAGE sql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN EXISTS (SELECT FROM reader r WHERE r.role = session_user AND r.exact);
COMMENT ON FUNCTION report.is_exact()
    IS 'whether this login sees exact figures of visitors, and what would give them away';

-- A view that filters by this one is granted only to logins that see exact figures (hub/store/queries/roles.sql).
CREATE FUNCTION report.my_visitors() RETURNS integer[]
LANGUAGE sql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN report.is_exact() THEN report.my_placements() ELSE '{}' END;
COMMENT ON FUNCTION report.my_visitors() IS 'placements whose exact figures of visitors this login may see';

-- places ------------------------------------------------------------------------------------------------------------

-- Functions of the registry (site_at, province_vi) read tables as the one who asks, who may not: so they are not called.

CREATE VIEW report.province WITH (security_barrier) AS
SELECT p.code AS province_code, n.name_vi AS province_vi
FROM province p
LEFT JOIN LATERAL (
    SELECT pp.name_vi FROM province_period pp WHERE pp.code = p.code
    ORDER BY pp.valid_from <= local_day(now()) DESC,
             CASE WHEN pp.valid_from <= local_day(now()) THEN pp.valid_from END DESC, pp.valid_from LIMIT 1
) n ON true
WHERE p.code = ANY ((SELECT report.my_provinces())::text[]);
COMMENT ON VIEW report.province IS 'provinces by their present names';

-- Present gates, for the view of sites; not for readers.
CREATE VIEW gate_now AS
SELECT g.code, g.name_vi, g.neighbour, p.gate_type, p.province_code, g.lat, g.lon, g.confidence
FROM gate g
JOIN LATERAL (
    SELECT gp.gate_type, gp.province_code FROM gate_period gp WHERE gp.gate = g.code
    ORDER BY gp.since <= local_day(now()) DESC, CASE WHEN gp.since <= local_day(now()) THEN gp.since END DESC, gp.since
    LIMIT 1
) p ON true;

CREATE VIEW report.site WITH (security_barrier) AS
SELECT s.code AS site, s.name_vi AS site_vi, s.gate, g.name_vi AS gate_vi, g.gate_type, g.neighbour, g.province_code,
       s.status, s.invested_at, s.funding, s.organisation, coalesce(s.lat, g.lat) AS lat, coalesce(s.lon, g.lon) AS lon,
       s.lat IS NOT NULL AS surveyed, g.confidence
FROM site s JOIN gate_now g ON g.code = s.gate
WHERE g.province_code = ANY ((SELECT report.my_provinces())::text[]);
COMMENT ON VIEW report.site
    IS 'information points of present provinces; surveyed: the coordinates are its own, not its gate''s';

CREATE VIEW report.site_hours WITH (security_barrier) AS
SELECT h.site, h.weekday, h.opens_min, h.closes_min
FROM site_hours h JOIN site s ON s.code = h.site JOIN gate_now g ON g.code = s.gate
WHERE g.province_code = ANY ((SELECT report.my_provinces())::text[]);
COMMENT ON VIEW report.site_hours
    IS 'opening hours in minutes of a local day, 1 is Monday; 0 to 0: closed; no row: nobody has said';

CREATE VIEW report.placement WITH (security_barrier) AS
SELECT s.placement, d.name AS device, d.kind, d.title_vi, s.site, i.name_vi AS site_vi, s.province_code,
       nullif(s.since, '-infinity') AS "time", nullif(s.since, '-infinity') AS since,
       nullif(s.until, 'infinity') AS until
FROM stay s JOIN device d ON d.id = s.device LEFT JOIN site i ON i.code = s.site
WHERE s.placement = ANY ((SELECT report.my_placements())::integer[]);
COMMENT ON VIEW report.placement
    IS 'where devices stood when; time is since; since null: from the beginning; until null: still';

-- How long a silence means something, as the ingest that keeps presence is set; it writes that whenever it connects.
-- Without a row the defaults of the settings hold.
CREATE TABLE silence (
    one             boolean PRIMARY KEY DEFAULT true CHECK (one),
    alive           interval NOT NULL,               -- ingest.alive_timeout_s: a device silent for longer is offline
    link            interval NOT NULL                -- ingest.link_timeout_s: a worker silent for longer is gone
);

-- What counts acts of visitors among other events, as queue_events does, is for logins with exact figures only.
-- Online: an open connection, heard lately on a broker that a live worker listens on. Unknown: never heard; or nobody
-- listens on the broker where it was heard last, or not yet for long enough to call it silent. As in the query
-- `devices` (presence.sql).
CREATE VIEW report.device WITH (security_barrier) AS
WITH told AS MATERIALIZED (
    SELECT coalesce(max(alive), interval '150 s') AS alive, coalesce(max(link), interval '30 s') AS link FROM silence
), link AS (
    SELECT broker, min(since) AS since FROM hub_link
    WHERE until IS NULL AND seen_at >= now() - (SELECT link FROM told) GROUP BY broker
)
SELECT d.name AS device, d.kind, d.title_vi, dp.placement, dp.site, s.name_vi AS site_vi, dp.province_code,
       nullif(dp.since, '-infinity') AS since, d.registered_at, d.first_seen,
       coalesce(p.presence, 'unknown') AS presence, CASE WHEN p.since >= dp.since THEN p.since END AS presence_since,
       CASE WHEN p.seen_at >= dp.since THEN p.seen_at END AS seen_at, v.version,
       CASE WHEN (SELECT report.is_exact()) THEN n.queue_events END AS queue_events, n.queue_oldest_s,
       n.queue_full, n.queue_refused, n.event_time, n.stored_at
FROM device d JOIN device_place dp ON dp.device = d.id
LEFT JOIN site s ON s.code = dp.site
LEFT JOIN device_now v ON v.device = d.id
LEFT JOIN device_now n ON n.device = d.id -- not what it told at the place before
    AND coalesce(n.event_time, 'infinity') >= dp.since AND coalesce(n.stored_at, 'infinity') >= dp.since
LEFT JOIN LATERAL (
    SELECT c.since, c.seen_at,
           CASE
               WHEN l.broker IS NULL THEN 'unknown'
               WHEN c.until IS NULL AND c.seen_at >= now() - (SELECT alive FROM told) THEN 'online'
               WHEN c.seen_at < l.since AND l.since > now() - (SELECT alive FROM told) THEN 'unknown'
               ELSE 'offline'
           END AS presence
    FROM (
        (SELECT broker, since, seen_at, until FROM presence WHERE device = d.id AND until IS NULL)
        UNION ALL
        (SELECT broker, since, seen_at, until FROM presence WHERE device = d.id ORDER BY since DESC LIMIT 1)
    ) c LEFT JOIN link l ON l.broker = c.broker
    ORDER BY (l.broker IS NOT NULL AND c.until IS NULL AND c.seen_at >= now() - (SELECT alive FROM told)) DESC,
             c.seen_at DESC
    LIMIT 1
) p ON true
WHERE d.id = ANY ((SELECT report.my_devices())::integer[]);
COMMENT ON VIEW report.device
    IS 'devices and where they stand now, with what was last heard of them there; since null: from the beginning; presence_since null: from before it was there';

-- what was shown ----------------------------------------------------------------------------------------------------

-- The device is that of the placement: whoever asks for one device is led by its placements to its rows. Outer joins,
-- because what is not asked for is then not joined.
-- Numbers of events (seq) are in no view: the numbers that are missing would count the acts of visitors.
-- Verdict and code: what it is by the catalogue; asked row by row, and only where the query wants it.
CREATE VIEW report.play WITH (security_barrier) AS
SELECT e."time", local_day(e."time") AS local_day, e.placement, d.name AS device, p.site, e.play_id, e.slice, e.screen,
       e.player, e.content, c.content_ref, encode(c.content_sha256, 'hex') AS content_sha256, e.duration_ms,
       e.status::text AS status, grade(e.listed, e.reported, e.rendering, e.panel, e.frame)::text AS grade, e.listed,
       e.reported, e.rendering, e.panel::text AS panel, e.frame::text AS frame, (
           SELECT r.verdict::text FROM resolved r WHERE r.content = e.content AND r.first_day <= local_day(e."time")
           ORDER BY r.first_day DESC LIMIT 1
       ) AS verdict, (
           SELECT r.code FROM resolved r WHERE r.content = e.content AND r.first_day <= local_day(e."time")
           ORDER BY r.first_day DESC LIMIT 1
       ) AS code, e.clock::text AS clock, e.stored_at
FROM play e
LEFT JOIN placement p ON p.id = e.placement
LEFT JOIN device d ON d.id = p.device
LEFT JOIN shown_content c ON c.id = e.content
WHERE e.placement = ANY ((SELECT report.my_placements())::integer[]);
COMMENT ON VIEW report.play IS 'slices of plays: count those with slice 0, sum duration_ms';

CREATE VIEW report.play_hour WITH (security_barrier) AS
SELECT e.bucket, local_day(e.bucket) AS local_day, e.placement, d.name AS device, p.site, e.content, c.content_ref,
       encode(c.content_sha256, 'hex') AS content_sha256, e.grade::text AS grade, e.plays, e.slices, e.shown_ms, e.failed,
       e.ended, (
           SELECT r.verdict::text FROM resolved r WHERE r.content = e.content AND r.first_day <= local_day(e.bucket)
           ORDER BY r.first_day DESC LIMIT 1
       ) AS verdict, (
           SELECT r.code FROM resolved r WHERE r.content = e.content AND r.first_day <= local_day(e.bucket)
           ORDER BY r.first_day DESC LIMIT 1
       ) AS code
FROM play_hour e
LEFT JOIN placement p ON p.id = e.placement
LEFT JOIN device d ON d.id = p.device
LEFT JOIN shown_content c ON c.id = e.content
WHERE e.placement = ANY ((SELECT report.my_placements())::integer[]);
COMMENT ON VIEW report.play_hour IS 'plays by UTC hour, content and grade; they outlive the rows';

CREATE VIEW report.screen WITH (security_barrier) AS
SELECT e."time", e.placement, d.name AS device, p.site, e.screen, e.state::text AS state, e.brightness, e.volume,
       e.clock::text AS clock, e.stored_at
FROM screen e
LEFT JOIN placement p ON p.id = e.placement
LEFT JOIN device d ON d.id = p.device
WHERE e.placement = ANY ((SELECT report.my_placements())::integer[]);
COMMENT ON VIEW report.screen IS 'power of screens, as it changed';

CREATE VIEW report.screen_now WITH (security_barrier) AS
SELECT n."time", dp.placement, d.name AS device, dp.site, n.screen, n.player, n.play_id, n.since, n.content,
       c.content_ref, encode(c.content_sha256, 'hex') AS content_sha256, n.status::text AS status,
       grade(n.listed, n.reported, n.rendering, n.panel, n.frame)::text AS grade, n.listed, n.reported, n.rendering,
       n.panel::text AS panel, n.frame::text AS frame, r.verdict::text AS verdict, r.code
FROM screen_now n
JOIN device_place dp ON dp.device = n.device AND n."time" >= dp.since -- not what it showed at the place before
LEFT JOIN device d ON d.id = n.device
LEFT JOIN shown_content c ON c.id = n.content
LEFT JOIN resolved r ON r.content = n.content AND local_day(now()) BETWEEN r.first_day AND r.last_day
WHERE n.device = ANY ((SELECT report.my_devices())::integer[]);
COMMENT ON VIEW report.screen_now IS 'what each screen showed when its device last told';

-- Days of places that are not on record: today, what was over only now, and what came in for a day of which nothing was
-- known. By the catalogue as it is.
CREATE VIEW play_day_open AS
WITH first AS (
    SELECT CASE WHEN max(c.through) IS NULL THEN '-infinity' -- least() passes over nulls
                ELSE begin_of(least(max(c.through) + 1, (SELECT min(d.day) FROM day_dirty d))) END AS bucket
    FROM day_closed c
), counted AS (
    SELECT h.placement, local_day(h.bucket) AS day, h.content, h.grade, sum(h.plays)::bigint AS plays,
           sum(h.shown_ms)::bigint AS shown_ms, sum(h.failed)::bigint AS failed
    FROM play_hour h WHERE h.bucket >= (SELECT first.bucket FROM first) GROUP BY 1, 2, 3, 4
)
SELECT c.day, c.placement, c.content, c.grade, c.plays, c.shown_ms, c.failed, r.verdict, r.code, r.version, v.title_vi,
       v.language, v.topic, v.approval_no
FROM counted c
LEFT JOIN resolved r ON r.content = c.content AND c.day BETWEEN r.first_day AND r.last_day
LEFT JOIN content_version v ON v.content = r.code AND v.version = r.version
WHERE NOT EXISTS (SELECT FROM day_recorded k WHERE k.placement = c.placement AND k.day = c.day);

CREATE VIEW report.play_day WITH (security_barrier) AS
SELECT begin_of(e.day) AS bucket, e.day, e.placement, d.name AS device, p.site, e.content, c.content_ref,
       e.grade::text AS grade, e.plays, e.shown_ms, e.failed, e.verdict::text AS verdict, e.code, e.version, e.title_vi,
       e.language, e.topic, e.approval_no, e.restated, e.restated IS NOT NULL AS recorded
FROM (
    SELECT day, placement, content, grade, plays, shown_ms, failed, verdict, code, version, title_vi, language, topic,
           approval_no, restated
    FROM play_day
    UNION ALL
    SELECT day, placement, content, grade, plays, shown_ms, failed, verdict, code, version, title_vi, language, topic,
           approval_no, NULL
    FROM play_day_open
) e
LEFT JOIN placement p ON p.id = e.placement
LEFT JOIN device d ON d.id = p.device
LEFT JOIN shown_content c ON c.id = e.content
WHERE e.placement = ANY ((SELECT report.my_placements())::integer[]);
COMMENT ON VIEW report.play_day
    IS 'plays by local day: the daily record, with what everything was by the catalogue then, and, where not recorded, the counts of days that are not on record yet; filter by day';

CREATE VIEW report.day_recorded WITH (security_barrier) AS
SELECT begin_of(e.day) AS bucket, e.day, e.placement, d.name AS device, p.site, e.recorded_at, e.restated_at, e.restated
FROM day_recorded e
LEFT JOIN placement p ON p.id = e.placement
LEFT JOIN device d ON d.id = p.device
WHERE e.placement = ANY ((SELECT report.my_placements())::integer[]);
COMMENT ON VIEW report.day_recorded IS 'when days were put on record, and how often each was corrected';

-- what may be shown, and what must be ---------------------------------------------------------------------------------

CREATE VIEW report.topic WITH (security_barrier) AS
SELECT t.code AS topic, t.label_vi, t.letter, t.section, t.valid_from, t.valid_until
FROM topic t WHERE (SELECT report.is_reader());
COMMENT ON VIEW report.topic IS 'subjects as the letters of the ministry name them; of no province';

CREATE VIEW report.content WITH (security_barrier) AS
SELECT v.content AS code, v.version, v.title_vi, v.title_foreign, v.title_language, v.language, v.topic,
       v.kind::text AS kind, v.priority::text AS priority, v.approval_no, v.approval_body, v.approval_date, v.valid_from,
       v.valid_until, v.withdrawn_on, v.source, encode(v.media_sha256, 'hex') AS media_sha256,
       ARRAY(SELECT r.ref FROM content_ref r WHERE r.content = v.content AND r.version = v.version ORDER BY 1) AS refs,
       v.version = max(v.version) OVER (PARTITION BY v.content) AS newest
FROM content_version v JOIN content c ON c.code = v.content AND c.deleted_at IS NULL
WHERE (SELECT report.is_reader());
COMMENT ON VIEW report.content IS 'the catalogue with all versions; of no province';

CREATE VIEW report.plan_item WITH (security_barrier) AS
SELECT i.code AS item, i.campaign, i.target_kind::text AS target_kind, i.target, i.contents, i.topic, i.first_day,
       i.last_day, i.weekdays, i.hours, i.unit::text AS unit, i.least, i.languages, i.shortest_play_ms, i.screens
FROM plan_item i
WHERE CASE i.target_kind
    WHEN 'site' THEN EXISTS (
        SELECT FROM site s JOIN gate_now g ON g.code = s.gate
        WHERE s.code = i.target AND g.province_code = ANY ((SELECT report.my_provinces())::text[])
    )
    WHEN 'device' THEN EXISTS (
        SELECT FROM device d WHERE d.name = i.target AND d.id = ANY ((SELECT report.my_devices())::integer[])
    )
    WHEN 'group' THEN EXISTS (
        SELECT FROM device_group_member m
        WHERE m.device_group = i.target AND m.device = ANY ((SELECT report.my_devices())::integer[])
    )
END;
COMMENT ON VIEW report.plan_item IS 'what must be shown where, by what stands where now';

CREATE VIEW report.plan_result WITH (security_barrier) AS
SELECT begin_of(e.day) + greatest(e.hour, 0) * interval '1 hour' AS bucket, e.day, e.hour, e.item, e.placement,
       d.name AS device, p.site, e.result::text AS result, e.required, e.shown, e.at_most, e.shown_ms, e.unknown_ms,
       e.languages, e.judged_at
FROM plan_result e
LEFT JOIN placement p ON p.id = e.placement
LEFT JOIN device d ON d.id = p.device
WHERE e.placement = ANY ((SELECT report.my_placements())::integer[]);
COMMENT ON VIEW report.plan_result
    IS 'whether it was shown, by window of local days (hour -1: the whole day); filter by day';

CREATE VIEW report.device_group WITH (security_barrier) AS
SELECT g.code AS device_group, g.name_vi, d.name AS device
FROM device_group g JOIN device_group_member m ON m.device_group = g.code JOIN device d ON d.id = m.device
WHERE m.device = ANY ((SELECT report.my_devices())::integer[]);
COMMENT ON VIEW report.device_group IS 'groups of devices, a row a member';

CREATE VIEW report.organisation WITH (security_barrier) AS
SELECT o.agency_code AS organisation, o.name_vi, o.province AS province_code, o.parent, o.valid_from, o.valid_until
FROM organisation o
WHERE (SELECT report.is_reader())
  AND (o.province IS NULL OR o.province = ANY ((SELECT report.my_provinces())::text[]));
COMMENT ON VIEW report.organisation IS 'organisations, national ones for everybody';

CREATE VIEW report.campaign WITH (security_barrier) AS
SELECT e.code AS campaign, e.name_vi, e.begins_on, e.ends_on, e.organisation, e.document
FROM campaign e LEFT JOIN organisation o ON o.agency_code = e.organisation
WHERE (SELECT report.is_reader())
  AND (o.province IS NULL OR o.province = ANY ((SELECT report.my_provinces())::text[]));
COMMENT ON VIEW report.campaign IS 'campaigns, national ones for everybody';

CREATE VIEW report.activity WITH (security_barrier) AS
SELECT e.code AS activity, e.kind, e.name_vi, e.place, e.held_on, e.people, e.organisation
FROM activity e JOIN organisation o ON o.agency_code = e.organisation
WHERE (SELECT report.is_reader())
  AND (o.province IS NULL OR o.province = ANY ((SELECT report.my_provinces())::text[]));
COMMENT ON VIEW report.activity IS 'trainings, conferences, exhibitions, national ones for everybody';

-- condition -----------------------------------------------------------------------------------------------------------

CREATE VIEW report.health WITH (security_barrier) AS
SELECT e."time", e.placement, d.name AS device, p.site, e.temperature_c, e.undervoltage, e.storage_errors,
       e.disk_free_bytes, e.memory_available_bytes, e.uptime_s,
       CASE WHEN (SELECT report.is_exact()) THEN e.queue_events END AS queue_events, e.queue_oldest_s, e.rtt_ms,
       e.clock_offset_ms, e.signal_dbm, CASE WHEN (SELECT report.is_exact()) THEN e.bytes_sent END AS bytes_sent,
       CASE WHEN (SELECT report.is_exact()) THEN e.bytes_received END AS bytes_received, e.clock::text AS clock,
       e.stored_at
FROM health e
LEFT JOIN placement p ON p.id = e.placement
LEFT JOIN device d ON d.id = p.device
WHERE e.placement = ANY ((SELECT report.my_placements())::integer[]);
COMMENT ON VIEW report.health IS 'condition of devices';

CREATE VIEW report.health_hour WITH (security_barrier) AS
SELECT e.bucket, local_day(e.bucket) AS local_day, e.placement, d.name AS device, p.site, e.samples, e.temperatures,
       e.temperature_sum_dc, e.undervoltage, CASE WHEN (SELECT report.is_exact()) THEN e.queue_sum END AS queue_sum,
       e.queue_oldest_sum_s, e.rtts, e.rtt_sum_ms, e.signals, e.signal_sum_dbm
FROM health_hour e
LEFT JOIN placement p ON p.id = e.placement
LEFT JOIN device d ON d.id = p.device
WHERE e.placement = ANY ((SELECT report.my_placements())::integer[]);
COMMENT ON VIEW report.health_hour IS 'condition by UTC hour: sums, and of how many samples; they outlive the rows';

CREATE VIEW report.fault WITH (security_barrier) AS
SELECT e."time", e.placement, d.name AS device, p.site, e.code, e.reason, e.component, e.clock::text AS clock, e.stored_at
FROM fault e
LEFT JOIN placement p ON p.id = e.placement
LEFT JOIN device d ON d.id = p.device
WHERE e.placement = ANY ((SELECT report.my_placements())::integer[]);
COMMENT ON VIEW report.fault IS 'faults';

CREATE VIEW report.fault_hour WITH (security_barrier) AS
SELECT e.bucket, local_day(e.bucket) AS local_day, e.placement, d.name AS device, p.site, e.code, e.component, e.faults
FROM fault_hour e
LEFT JOIN placement p ON p.id = e.placement
LEFT JOIN device d ON d.id = p.device
WHERE e.placement = ANY ((SELECT report.my_placements())::integer[]);
COMMENT ON VIEW report.fault_hour IS 'faults by UTC hour; they outlive the rows';

CREATE VIEW report.lifecycle WITH (security_barrier) AS
SELECT e."time", e.placement, d.name AS device, p.site, e.action::text AS action, e.detail, e.step_ms,
       e.clock::text AS clock, e.stored_at
FROM lifecycle e
LEFT JOIN placement p ON p.id = e.placement
LEFT JOIN device d ON d.id = p.device
WHERE e.placement = ANY ((SELECT report.my_placements())::integer[]);
COMMENT ON VIEW report.lifecycle IS 'starts, stops and changes of clock, configuration and version';

-- A connection that went on while its device was moved is seen from both places, from each as far as it was there.
CREATE VIEW report.presence WITH (security_barrier) AS
SELECT e.since AS "time", s.placement, d.name AS device, s.site, greatest(e.since, s.since) AS since,
       least(e.until, CASE WHEN coalesce(e.until, now()) > s.until THEN s.until END) AS until, e.seen_at,
       CASE WHEN coalesce(e.until, now()) > s.until THEN 'moved' ELSE e.ended END AS ended
FROM presence e
JOIN stay s ON s.device = e.device AND e.since < s.until AND coalesce(e.until, now()) >= s.since
LEFT JOIN device d ON d.id = e.device
WHERE s.placement = ANY ((SELECT report.my_placements())::integer[]);
COMMENT ON VIEW report.presence
    IS 'connections: from since to until, null: still open; time is the beginning of all of it, to filter by';

CREATE VIEW report.incident WITH (security_barrier) AS
SELECT e.opened_at AS "time", e.id AS incident, e.kind, e.subject, s.placement, d.name AS device, s.site, e.opened_at,
       e.last_at, e.times,
       CASE WHEN e.kind LIKE 'content%' OR (SELECT report.is_exact()) THEN e.detail END AS detail, e.acknowledged_at,
       CASE WHEN (SELECT report.is_exact()) THEN e.acknowledged_by END AS acknowledged_by, e.closed_at,
       CASE WHEN (SELECT report.is_exact()) THEN e.closed_by END AS closed_by
FROM incident e
JOIN stay s ON s.device = e.device
    AND CASE WHEN e.placement IS NULL THEN e.opened_at >= s.since AND e.opened_at < s.until
             ELSE s.placement = e.placement END
LEFT JOIN device d ON d.id = e.device
WHERE s.placement = ANY ((SELECT report.my_placements())::integer[]);
COMMENT ON VIEW report.incident
    IS 'incidents, at the place where they were first seen; names of people stay in the province';

-- what is not known ---------------------------------------------------------------------------------------------------

-- A stream is of the place where its device stood when the hub first heard of it; a device that is carried elsewhere is
-- switched off for that, and begins another one.
CREATE VIEW stream_account AS
SELECT e.id, e.device, s.placement, s.site, e.first_seen, e.committed, e.lost, m.high,
       int8multirange(int8range(1, m.high, '[]')) - e.committed - e.lost AS holes
FROM stream e
JOIN stay s ON s.device = e.device AND e.first_seen >= s.since AND e.first_seen < s.until
CROSS JOIN LATERAL (SELECT greatest(coalesce(upper(e.committed), 1), coalesce(upper(e.lost), 1)) - 1 AS high) m;

CREATE VIEW report.stream WITH (security_barrier) AS
SELECT e.first_seen AS "time", e.id AS stream, e.placement, d.name AS device, e.site, e.high AS events,
       numbers_in(e.committed) AS committed_events, numbers_in(e.lost) AS lost_events, numbers_in(e.holes) AS hole_events
FROM stream_account e
LEFT JOIN device d ON d.id = e.device
WHERE e.placement = ANY ((SELECT report.my_visitors())::integer[]);
COMMENT ON VIEW report.stream
    IS 'accounts of the ledger, a row an opening of a device''s outbox: how many events there were, are in, lost, missing';

CREATE VIEW report.hole WITH (security_barrier) AS
SELECT e.first_seen AS "time", e.id AS stream, e.placement, d.name AS device, e.site, h.number AS hole,
       CASE WHEN (SELECT report.is_exact()) THEN upper(h.span) - lower(h.span) END AS events,
       CASE WHEN (SELECT report.is_exact()) THEN lower(h.span) END AS first_number,
       CASE WHEN (SELECT report.is_exact()) THEN upper(h.span) - 1 END AS last_number
FROM stream_account e
CROSS JOIN LATERAL unnest(e.holes) WITH ORDINALITY AS h (span, number)
LEFT JOIN device d ON d.id = e.device
WHERE e.placement = ANY ((SELECT report.my_placements())::integer[]);
COMMENT ON VIEW report.hole
    IS 'events that there were, and that are neither stored nor declared lost; they may yet come';

CREATE VIEW report.unknown_time WITH (security_barrier) AS
SELECT e.begins AS "time", e.ends AS until, e.day, e.placement, d.name AS device, p.site, e.reasons
FROM unknown_time e
LEFT JOIN placement p ON p.id = e.placement
LEFT JOIN device d ON d.id = p.device
WHERE e.placement = ANY ((SELECT report.my_placements())::integer[]);
COMMENT ON VIEW report.unknown_time
    IS 'time of which not everything is known, and why: hole, declared_loss, silence, late';

CREATE VIEW report.loss WITH (security_barrier) AS
SELECT e."time", e.placement, d.name AS device, p.site, e.lost_kind::text AS kind, e.reason::text AS reason,
       CASE WHEN e.lost_kind IS NOT NULL OR (SELECT report.is_exact()) THEN numbers_in(e.ranges) END AS events,
       e.clock::text AS clock, e.stored_at
FROM loss e
LEFT JOIN placement p ON p.id = e.placement
LEFT JOIN device d ON d.id = p.device
WHERE e.placement = ANY ((SELECT report.my_placements())::integer[])
  AND (e.lost_kind IS DISTINCT FROM 'interaction' OR (SELECT report.is_exact()));
COMMENT ON VIEW report.loss IS 'losses that devices declared; time is when they did';

-- visitors ------------------------------------------------------------------------------------------------------------

CREATE VIEW report.event_hour WITH (security_barrier) AS
SELECT e.bucket, local_day(e.bucket) AS local_day, e.placement, d.name AS device, p.site, e.kind::text AS kind, e.events
FROM event_hour e
LEFT JOIN placement p ON p.id = e.placement
LEFT JOIN device d ON d.id = p.device
WHERE e.placement = ANY ((SELECT report.my_visitors())::integer[]);
COMMENT ON VIEW report.event_hour IS 'events by UTC hour and kind, those of visitors among them; they outlive the rows';

CREATE VIEW report.interaction_hour WITH (security_barrier) AS
SELECT e.bucket, local_day(e.bucket) AS local_day, e.placement, d.name AS device, p.site, e.action::text AS action,
       e.target, e.language, e.interactions, e.duration_ms, e.ratings, e.rating_sum
FROM interaction_hour e
LEFT JOIN placement p ON p.id = e.placement
LEFT JOIN device d ON d.id = p.device
WHERE e.placement = ANY ((SELECT report.my_visitors())::integer[]);
COMMENT ON VIEW report.interaction_hour IS 'what visitors did, by UTC hour; exact';

-- Topic: of what was on screen when the visit began, by the version of the catalogue that holds for its day, asked row by
-- row as verdicts are; null: not known. Weekday (1 is Monday) and hour are local.
CREATE VIEW report.visit WITH (security_barrier) AS
SELECT e.began_at AS "time", local_day(e.began_at) AS local_day, e.placement, d.name AS device, p.site, e.ended_at,
       e.started, e.duration_ms, e.main_language, e.languages, e.page_views, e.pages, e.media_plays, e.searches,
       e.qr_shown, e.rating, e.content, c.content_ref, (
           SELECT v.topic FROM resolved r LEFT JOIN content_version v ON v.content = r.code AND v.version = r.version
           WHERE r.content = e.content AND r.first_day <= local_day(e.began_at) ORDER BY r.first_day DESC LIMIT 1
       ) AS topic, extract(isodow FROM e.began_at AT TIME ZONE INTERVAL '7 hours')::integer AS weekday,
       extract(hour FROM e.began_at AT TIME ZONE INTERVAL '7 hours')::integer AS hour
FROM visit e
LEFT JOIN placement p ON p.id = e.placement
LEFT JOIN device d ON d.id = p.device
LEFT JOIN shown_content c ON c.id = e.content
WHERE e.placement = ANY ((SELECT report.my_visitors())::integer[]);
COMMENT ON VIEW report.visit
    IS 'sessions of visitors, gone at most 30 days after they began; exact. Count those that started; weekday 1 is Monday, hour is local';

CREATE VIEW report.visit_hour WITH (security_barrier) AS
SELECT e.bucket, local_day(e.bucket) AS local_day, e.placement, d.name AS device, p.site, e.language, e.content,
       c.content_ref, e.sessions, e.page_views, e.duration_ms, e.feedbacks, e.feedback_sum, (
           SELECT v.topic FROM resolved r LEFT JOIN content_version v ON v.content = r.code AND v.version = r.version
           WHERE r.content = e.content AND r.first_day <= local_day(e.bucket) ORDER BY r.first_day DESC LIMIT 1
       ) AS topic, extract(isodow FROM e.bucket AT TIME ZONE INTERVAL '7 hours')::integer AS weekday,
       extract(hour FROM e.bucket AT TIME ZONE INTERVAL '7 hours')::integer AS hour
FROM visit_hour e
LEFT JOIN placement p ON p.id = e.placement
LEFT JOIN device d ON d.id = p.device
LEFT JOIN shown_content c ON c.id = e.content
WHERE e.placement = ANY ((SELECT report.my_visitors())::integer[]);
COMMENT ON VIEW report.visit_hour
    IS 'sessions of visitors by UTC hour; exact; they outlive the sessions; weekday 1 is Monday, hour is local';

CREATE VIEW report.visitors_published WITH (security_barrier) AS
SELECT begin_of(e.month) AS bucket, e.month, e.site, e.province_code, e.language, e.sessions, e.flag, e.published_at
FROM published_visitors e
WHERE e.province_code = ANY ((SELECT report.my_provinces())::text[]);
COMMENT ON VIEW report.visitors_published
    IS 'sessions of visitors by month, as published: rounded to 5; flag c: too few to be told';
