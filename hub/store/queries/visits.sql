-- name: mark - acts of these sessions have come in
INSERT INTO visit_due (placement, session, first_at, last_at)
SELECT placement, session, to_timestamp(first_ms / 1000.0), to_timestamp(last_ms / 1000.0)
FROM unnest(%(placement)s::int[], %(session)s::bigint[], %(first_ms)s::bigint[], %(last_ms)s::bigint[])
     AS given (placement, session, first_ms, last_ms)

-- name: mark_whole - sessions at these placements whose acts are all there: they have a fact, or their beginning is there
INSERT INTO visit_due (placement, session, first_at, last_at)
SELECT i.placement, i.session, min(i.time), max(i.time)
FROM interaction i
WHERE i.placement = ANY (%(placements)s)
  AND i.time >= coalesce((SELECT before FROM expiry WHERE kind = 'interaction'), '-infinity')
GROUP BY i.placement, i.session
HAVING bool_or(i.action = 'session_start')
    OR EXISTS (SELECT FROM visit v WHERE v.placement = i.placement AND v.session = i.session)

-- name: alone - one at a time makes facts; a device that is moved meanwhile waits as well
LOCK TABLE visit IN SHARE ROW EXCLUSIVE MODE

-- name: take - sessions to settle now, of which nothing has come in for a while
WITH chosen AS (
    SELECT placement, session FROM visit_due GROUP BY 1, 2
    HAVING max(marked_at) <= now() - make_interval(secs => %(quiet_s)s) ORDER BY 1, 2 LIMIT %(most)s
), gone AS (
    DELETE FROM visit_due d USING chosen WHERE (d.placement, d.session) = (chosen.placement, chosen.session)
    RETURNING d.placement, d.session, d.first_at, d.last_at
)
SELECT placement, session, min(first_at), max(last_at) FROM gone GROUP BY 1, 2

-- name: known - facts of these sessions, with what each has added to the counts
SELECT v.placement, v.session, v.began_at, v.ended_at, v.started, v.duration_ms, v.main_language, v.page_views, v.rating,
       v.content
FROM visit v JOIN unnest(%(placement)s::int[], %(session)s::bigint[]) AS given (placement, session)
USING (placement, session)

-- name: acts - all acts of these sessions between two moments each
SELECT i.placement, i.session, (extract(epoch FROM i.time) * 1000)::bigint AS time_ms, i.seq, i.action::text, i.target,
       i.language, i.duration_ms, i.rating
FROM unnest(%(placement)s::int[], %(session)s::bigint[], %(first_at)s::timestamptz[], %(last_at)s::timestamptz[])
     AS given (placement, session, first_at, last_at)
JOIN interaction i ON i.placement = given.placement AND i.session = given.session
    AND i.time BETWEEN given.first_at AND given.last_at

-- name: on_screen - what each placement's screen showed at a moment, as far as a slice of the hour before it tells
SELECT given.number, p.content
FROM unnest(%(number)s::int[], %(placement)s::int[], %(moment)s::timestamptz[]) AS given (number, placement, moment)
CROSS JOIN LATERAL (
    SELECT content, status FROM play
    WHERE play.placement = given.placement AND time <= given.moment AND time > given.moment - interval '1 hour'
    ORDER BY time DESC, seq DESC LIMIT 1
) p WHERE p.status = 'running'

-- name: put - a session's fact as it is now
INSERT INTO visit (placement, session, began_at, ended_at, started, duration_ms, main_language, languages, page_views,
                   pages, media_plays, searches, qr_shown, rating, content)
VALUES (%(placement)s, %(session)s, %(began_at)s, %(ended_at)s, %(started)s, %(duration_ms)s, %(main_language)s,
        %(languages)s, %(page_views)s, %(pages)s, %(media_plays)s, %(searches)s, %(qr_shown)s, %(rating)s, %(content)s)
ON CONFLICT (placement, session) DO UPDATE
SET began_at = excluded.began_at, ended_at = excluded.ended_at, started = excluded.started,
    duration_ms = excluded.duration_ms, main_language = excluded.main_language, languages = excluded.languages,
    page_views = excluded.page_views, pages = excluded.pages, media_plays = excluded.media_plays,
    searches = excluded.searches, qr_shown = excluded.qr_shown, rating = excluded.rating, content = excluded.content

-- name: add - add to the hourly counts of visits, or take away where a visit has moved
INSERT INTO visit_hour AS t
    (placement, bucket, language, content, sessions, page_views, duration_ms, feedbacks, feedback_sum)
SELECT placement, to_timestamp(hour * 3600), language, content, sessions, page_views, duration_ms, feedbacks, feedback_sum
FROM unnest(%(placement)s::int[], %(hour)s::bigint[], %(language)s::text[], %(content)s::int[], %(sessions)s::bigint[],
            %(page_views)s::bigint[], %(duration_ms)s::bigint[], %(feedbacks)s::bigint[], %(feedback_sum)s::bigint[])
     AS given (placement, hour, language, content, sessions, page_views, duration_ms, feedbacks, feedback_sum)
ON CONFLICT (placement, bucket, language, content) DO UPDATE
SET sessions = t.sessions + excluded.sessions, page_views = t.page_views + excluded.page_views,
    duration_ms = t.duration_ms + excluded.duration_ms, feedbacks = t.feedbacks + excluded.feedbacks,
    feedback_sum = t.feedback_sum + excluded.feedback_sum

-- name: expired_days - ends of the days (UTC) before a moment of which there are acts
SELECT DISTINCT date_trunc('day', time, 'UTC') + interval '1 day' FROM interaction WHERE time < %(before)s

-- name: retire - drop acts before a moment, count them as retired, and drop facts of sessions that began before it; counts
-- stay. One statement, so that a session goes whole or, if something of it has just come in, stays whole. How many of each
WITH due AS MATERIALIZED (
    SELECT DISTINCT placement, session FROM visit_due
), gone AS (
    DELETE FROM interaction i WHERE time < %(before)s
    AND NOT EXISTS (SELECT FROM due d WHERE d.placement = i.placement AND d.session = i.session)
    RETURNING stream
), counted AS (
    SELECT stream, count(*) AS events FROM gone GROUP BY stream
), kept AS (
    INSERT INTO retired AS known (stream, kind, events) SELECT stream, 'interaction', events FROM counted ORDER BY stream
    ON CONFLICT (stream, kind) DO UPDATE SET events = known.events + excluded.events
), forgotten AS (
    DELETE FROM visit v WHERE began_at < %(before)s
    AND NOT EXISTS (SELECT FROM due d WHERE d.placement = v.placement AND d.session = v.session)
    RETURNING session
)
SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM forgotten)

-- name: forget - facts of sessions that began before a moment; their counts stay. None that is about to change
DELETE FROM visit v WHERE began_at < %(before)s
AND NOT EXISTS (SELECT FROM visit_due d WHERE d.placement = v.placement AND d.session = v.session)
