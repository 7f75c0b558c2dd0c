-- name: close - hand days that are over since the last time to the record: every place that showed something then
WITH since AS (
    SELECT max(through) AS through FROM day_closed
), closed AS (
    INSERT INTO day_closed (through, closed_at)
    SELECT %(through)s::date, %(now)s FROM since WHERE since.through IS NULL OR since.through < %(through)s::date
    RETURNING through
)
INSERT INTO day_dirty (placement, day)
SELECT DISTINCT h.placement, local_day(h.bucket)
FROM closed, since, play_hour h
WHERE h.bucket < begin_of(closed.through + 1)
  AND h.bucket >= coalesce(begin_of(since.through + 1), '-infinity')

-- name: through - up to which day all are over
SELECT max(through) FROM day_closed

-- name: take - some marks of days that are over, oldest days first; the days that they are on
WITH oldest AS (
    SELECT placement, day FROM day_dirty WHERE day <= %(through)s GROUP BY 1, 2 ORDER BY day, placement LIMIT %(most)s
), taken AS (
    DELETE FROM day_dirty d USING oldest o WHERE d.placement = o.placement AND d.day = o.day
)
SELECT placement, day FROM oldest

-- name: recorded - days on record at these placements that have a part between two moments
SELECT DISTINCT day FROM day_recorded
WHERE placement = ANY (%(placements)s::int[])
  AND day >= local_day(%(since)s::timestamptz) AND begin_of(day) < %(until)s::timestamptz
ORDER BY day

-- name: record - what these days at these places came to, by what is resolved now. Only what differs is written
WITH wanted AS (
    SELECT w.placement, w.day, coalesce(r.restated + 1, 0) AS restated
    FROM unnest(%(placements)s::int[], %(days)s::date[]) AS w (placement, day)
    LEFT JOIN day_recorded r ON r.placement = w.placement AND r.day = w.day
), counted AS (
    SELECT w.placement, w.day, w.restated, h.content, h.grade, sum(h.plays)::bigint AS plays,
           sum(h.shown_ms)::bigint AS shown_ms, sum(h.failed)::bigint AS failed
    FROM wanted w
    JOIN play_hour h ON h.placement = w.placement
         AND h.bucket >= begin_of(w.day) AND h.bucket < begin_of(w.day + 1)
    GROUP BY 1, 2, 3, 4, 5
), found AS (
    SELECT c.content, c.day, r.verdict, r.code, r.version, v.title_vi, v.language, v.topic, v.approval_no
    FROM (SELECT DISTINCT content, day FROM counted) c
    JOIN resolved r ON r.content = c.content AND c.day BETWEEN r.first_day AND r.last_day
    LEFT JOIN content_version v ON v.content = r.code AND v.version = r.version
), told AS (
    -- A content that has been deleted stays in what was recorded while it was there, unless another one has taken over.
    SELECT f.content, f.day,
           CASE WHEN kept.code IS NULL THEN f.verdict ELSE kept.verdict END AS verdict,
           coalesce(f.code, kept.code) AS code, coalesce(f.version, kept.version) AS version,
           coalesce(f.title_vi, kept.title_vi) AS title_vi, coalesce(f.language, kept.language) AS language,
           coalesce(f.topic, kept.topic) AS topic,
           CASE WHEN kept.code IS NULL THEN f.approval_no ELSE kept.approval_no END AS approval_no
    FROM found f
    LEFT JOIN LATERAL (
        SELECT d.verdict, d.code, d.version, d.title_vi, d.language, d.topic, d.approval_no
        FROM play_day d
        WHERE f.code IS NULL AND d.content = f.content AND d.day = f.day AND d.code IS NOT NULL
          AND NOT EXISTS (SELECT FROM content c WHERE c.code = d.code AND c.deleted_at IS NULL)
        ORDER BY d.restated DESC, d.placement LIMIT 1
    ) kept ON true
), gone AS (
    DELETE FROM play_day d USING wanted w
    WHERE d.placement = w.placement AND d.day = w.day
      AND NOT EXISTS (SELECT FROM counted c WHERE c.placement = d.placement AND c.day = d.day
                      AND c.content = d.content AND c.grade = d.grade)
    RETURNING d.placement, d.day
), put AS (
    INSERT INTO play_day AS known (day, placement, content, grade, verdict, code, version, title_vi, language, topic,
                                   approval_no, plays, shown_ms, failed, restated)
    SELECT c.day, c.placement, c.content, c.grade, t.verdict, t.code, t.version, t.title_vi, t.language, t.topic,
           t.approval_no, c.plays, c.shown_ms, c.failed, c.restated
    FROM counted c JOIN told t ON t.content = c.content AND t.day = c.day
    ON CONFLICT (placement, day, content, grade) DO UPDATE
    SET verdict = excluded.verdict, code = excluded.code, version = excluded.version, title_vi = excluded.title_vi,
        language = excluded.language, topic = excluded.topic, approval_no = excluded.approval_no,
        plays = excluded.plays, shown_ms = excluded.shown_ms, failed = excluded.failed, restated = excluded.restated
    WHERE (known.verdict, known.code, known.version, known.title_vi, known.language, known.topic, known.approval_no,
           known.plays, known.shown_ms, known.failed)
          IS DISTINCT FROM (excluded.verdict, excluded.code, excluded.version, excluded.title_vi, excluded.language,
                            excluded.topic, excluded.approval_no, excluded.plays, excluded.shown_ms, excluded.failed)
    RETURNING known.placement, known.day
), changed AS (
    SELECT placement, day FROM put UNION SELECT placement, day FROM gone
), stated AS (
    INSERT INTO day_recorded AS known (placement, day, recorded_at)
    SELECT placement, day, %(now)s FROM changed
    ON CONFLICT (placement, day) DO UPDATE SET restated = known.restated + 1, restated_at = %(now)s
    RETURNING restated
)
SELECT count(*) FILTER (WHERE restated = 0), count(*) FILTER (WHERE restated > 0) FROM stated
