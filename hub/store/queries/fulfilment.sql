-- name: close_days - hand every day that is over to those who judge: each placement that held on it
-- And the day before where its end is not known: what is missing may be numbers of this day's beginning.
WITH known AS (
    SELECT coalesce(max(through), %(through)s::date - %(reach_days)s::int) AS through FROM judged
), days AS (
    SELECT day::date FROM known, generate_series(known.through + 1, %(through)s::date, '1 day') AS day
), before AS (
    INSERT INTO judge_due (placement, day)
    SELECT u.placement, u.day FROM days JOIN unknown_time u ON u.day = days.day - 1 AND u.ends = hub.begin_of(days.day)
), put AS (
    INSERT INTO judge_due (placement, day)
    SELECT p.id, days.day FROM days JOIN placement p ON hub.begin_of(days.day + 1) > p.since AND p.site IS NOT NULL
    WHERE NOT EXISTS (SELECT FROM placement later WHERE later.device = p.device AND later.since > p.since
                      AND later.since <= hub.begin_of(days.day))
), gone AS (
    DELETE FROM judged WHERE EXISTS (SELECT FROM days)
)
INSERT INTO judged SELECT greatest(max(day), (SELECT through FROM known)) FROM days HAVING max(day) IS NOT NULL

-- name: take - some days that are due; nobody else judges them meanwhile
-- A mark of one place is of the device's whole day: each of its placements comes, also one that does not hold any more.
WITH chosen AS (
    SELECT DISTINCT p.device, m.day
    FROM (SELECT placement, day FROM judge_due WHERE day <= %(through)s LIMIT %(most)s * 20) m
    JOIN placement p ON p.id = m.placement LIMIT %(most)s
), stay AS (
    SELECT c.day, p.id, p.device, p.site, greatest(p.since, hub.begin_of(c.day)) AS begins,
           least(lead(p.since) OVER (PARTITION BY c.day, p.device ORDER BY p.since), hub.begin_of(c.day + 1)) AS ends
    FROM chosen c JOIN placement p ON p.device = c.device
), gone AS (
    DELETE FROM judge_due d USING stay WHERE (d.placement, d.day) = (stay.id, stay.day)
), waits_no_more AS (
    DELETE FROM judge_wait w USING stay WHERE (w.placement, w.day) = (stay.id, stay.day)
)
SELECT s.id, s.day, s.device, d.name, s.site, ARRAY(SELECT id FROM placement WHERE device = s.device) AS placements,
       (extract(epoch FROM s.begins) * 1000)::bigint, (extract(epoch FROM s.ends) * 1000)::bigint
FROM stay s JOIN device d ON d.id = s.device ORDER BY s.day, s.device, s.begins, s.id

-- name: seen - stored events of a device between two moments whose time is right, by stream and number
WITH event AS (
    SELECT stream, seq, time FROM play
    WHERE placement = ANY(%(placements)s) AND time BETWEEN %(first)s AND %(last)s AND clock <> 'estimated'
    UNION ALL SELECT stream, seq, time FROM screen
    WHERE placement = ANY(%(placements)s) AND time BETWEEN %(first)s AND %(last)s AND clock <> 'estimated'
    UNION ALL SELECT stream, seq, time FROM interaction
    WHERE placement = ANY(%(placements)s) AND time BETWEEN %(first)s AND %(last)s AND clock <> 'estimated'
    UNION ALL SELECT stream, seq, time FROM health
    WHERE placement = ANY(%(placements)s) AND time BETWEEN %(first)s AND %(last)s AND clock <> 'estimated'
    UNION ALL SELECT stream, seq, time FROM fault
    WHERE placement = ANY(%(placements)s) AND time BETWEEN %(first)s AND %(last)s AND clock <> 'estimated'
    UNION ALL SELECT stream, seq, time FROM lifecycle
    WHERE placement = ANY(%(placements)s) AND time BETWEEN %(first)s AND %(last)s AND clock <> 'estimated'
    UNION ALL SELECT stream, seq, time FROM loss
    WHERE placement = ANY(%(placements)s) AND time BETWEEN %(first)s AND %(last)s AND clock <> 'estimated'
)
SELECT stream, seq, (extract(epoch FROM time) * 1000)::bigint FROM event ORDER BY stream, seq

-- name: after - the first sign of life after a moment: what follows it has arrived
(SELECT stream, seq, (extract(epoch FROM time) * 1000)::bigint FROM health
 WHERE placement = ANY(%(placements)s) AND time > %(last)s AND clock <> 'estimated' ORDER BY time LIMIT 1)
UNION ALL
(SELECT stream, seq, (extract(epoch FROM time) * 1000)::bigint FROM play
 WHERE placement = ANY(%(placements)s) AND time > %(last)s AND clock <> 'estimated' ORDER BY time LIMIT 1)

-- name: wait - a day of which more may come; it has heard of what there was up to a moment
INSERT INTO judge_wait (placement, day, heard) VALUES (%(placement)s, %(day)s, %(heard)s)

-- name: heard_again - days whose devices have spoken since are due again
WITH waiting AS (
    SELECT p.device, min(w.heard) AS heard FROM judge_wait w JOIN placement p ON p.id = w.placement GROUP BY p.device
), spoke AS (
    SELECT w.device, max(newest.time) AS time
    FROM waiting w JOIN placement p ON p.device = w.device
    CROSS JOIN LATERAL (
        (SELECT e.time FROM health e WHERE e.placement = p.id AND e.time > w.heard AND e.clock <> 'estimated'
         ORDER BY e.time DESC LIMIT 1)
        UNION ALL
        (SELECT e.time FROM play e WHERE e.placement = p.id AND e.time > w.heard AND e.clock <> 'estimated'
         ORDER BY e.time DESC LIMIT 1)
    ) newest
    GROUP BY w.device
), again AS (
    DELETE FROM judge_wait w USING placement p, spoke s
    WHERE p.id = w.placement AND s.device = p.device AND w.heard < s.time
    RETURNING w.placement, w.day
)
INSERT INTO judge_due (placement, day) SELECT placement, day FROM again

-- name: accounts - what the ledger holds of these streams
SELECT id, committed::text, lost::text FROM stream WHERE id = ANY(%(streams)s)

-- name: online - when the hub had a connection of a device
SELECT (extract(epoch FROM since) * 1000)::bigint, (extract(epoch FROM coalesce(until, seen_at)) * 1000)::bigint
FROM presence WHERE device = %(device)s AND since <= %(last)s AND coalesce(until, seen_at) >= %(first)s

-- name: slices - slices of approved contents on a device, with what the catalogue said of them on their day
SELECT p.play_id, p.slice, (extract(epoch FROM p.time) * 1000)::bigint AS time_ms, p.duration_ms, p.listed, p.reported,
       p.rendering, p.panel::text, p.frame::text, r.code, v.language, v.topic
FROM play p
JOIN resolved r ON r.content = p.content AND r.verdict = 'approved'
    AND hub.local_day(p.time) BETWEEN r.first_day AND r.last_day
JOIN content_version v ON v.content = r.code AND v.version = r.version
WHERE p.placement = ANY(%(placements)s) AND p.time BETWEEN %(first)s AND %(last)s

-- name: groups_of - groups that a device is in
SELECT device_group FROM device_group_member WHERE device = %(device)s

-- name: forget_unknown - what was unknown of a day is judged anew
DELETE FROM unknown_time WHERE placement = %(placement)s AND day = %(day)s

-- name: put_unknown - a time of which not everything is known
INSERT INTO unknown_time (placement, day, begins, ends, reasons)
VALUES (%(placement)s, %(day)s, %(begins)s, %(ends)s, %(reasons)s)

-- name: forget_results - results of a day are judged anew: those of some lines, or of all
DELETE FROM plan_result
WHERE placement = %(placement)s AND day = %(day)s AND (%(items)s::text[] IS NULL OR item = ANY(%(items)s::text[]))

-- name: expired - whether rows that are evidence have gone by their age, up to some moment after this one
SELECT coalesce(max(before) > %(first)s, false) FROM expiry
WHERE kind IN ('play', 'health', 'lifecycle', 'screen', 'loss')

-- name: put_result - how a line of the plan stands in one window. One that has not been forgotten stays
INSERT INTO plan_result (item, placement, day, hour, result, required, shown, at_most, shown_ms, unknown_ms, languages,
                         judged_at)
VALUES (%(item)s, %(placement)s, %(day)s, %(hour)s, %(result)s, %(required)s, %(shown)s, %(at_most)s, %(shown_ms)s,
        %(unknown_ms)s, %(languages)s, %(now)s)
ON CONFLICT DO NOTHING

-- name: again - judge the days of the last weeks once more, if the plan or the catalogue has changed
WITH changed AS (
    DELETE FROM judge_all RETURNING 1
)
INSERT INTO judge_due (placement, day)
SELECT p.id, day::date FROM generate_series(%(first)s::date, %(last)s::date, '1 day') AS day, placement p
WHERE p.site IS NOT NULL AND hub.begin_of(day::date + 1) > p.since AND NOT EXISTS (
    SELECT FROM placement later WHERE later.device = p.device AND later.since > p.since
    AND later.since <= hub.begin_of(day::date))
  AND EXISTS (SELECT FROM changed)
