-- name: placements - all placements of a device
SELECT p.id FROM placement p JOIN device d ON d.id = p.device WHERE d.name = %(device)s

-- name: devices - names of all devices
SELECT name FROM device ORDER BY name

-- name: complete_since - per kind: from which hour on all rows are there
SELECT kind::text, before FROM expiry

-- name: differences_play_hour - counts that are not what the rows say, and what the rows say instead
WITH counted AS (
SELECT bucket, placement, content, grade, plays, slices, shown_ms, failed, ended
FROM play_hour
WHERE placement = ANY(%(placements)s) AND bucket >= coalesce((SELECT before FROM expiry WHERE kind = 'play'), '-infinity')
), recounted AS (
SELECT bucket, placement, content, grade, plays, slices, shown_ms, failed, ended
FROM recount_play_hour
WHERE placement = ANY(%(placements)s) AND bucket >= coalesce((SELECT before FROM expiry WHERE kind = 'play'), '-infinity')
)
SELECT 'counted' AS side, to_jsonb(c) AS row FROM (SELECT * FROM counted EXCEPT ALL SELECT * FROM recounted) c
UNION ALL
SELECT 'recounted', to_jsonb(r) FROM (SELECT * FROM recounted EXCEPT ALL SELECT * FROM counted) r

-- name: clear_play_hour - counts of hours of which all rows are there
DELETE FROM play_hour
WHERE placement = ANY(%(placements)s) AND bucket >= coalesce((SELECT before FROM expiry WHERE kind = 'play'), '-infinity')

-- name: rebuild_play_hour - the same from the rows
INSERT INTO play_hour (bucket, placement, content, grade, plays, slices, shown_ms, failed, ended)
SELECT bucket, placement, content, grade, plays, slices, shown_ms, failed, ended
FROM recount_play_hour
WHERE placement = ANY(%(placements)s) AND bucket >= coalesce((SELECT before FROM expiry WHERE kind = 'play'), '-infinity')

-- name: differences_interaction_hour - counts that are not what the rows say, and what the rows say instead
WITH counted AS (
SELECT bucket, placement, action, target, language, interactions, duration_ms, ratings, rating_sum
FROM interaction_hour
WHERE placement = ANY(%(placements)s) AND bucket >= coalesce((SELECT before FROM expiry WHERE kind = 'interaction'), '-infinity')
), recounted AS (
SELECT bucket, placement, action, target, language, interactions, duration_ms, ratings, rating_sum
FROM recount_interaction_hour
WHERE placement = ANY(%(placements)s) AND bucket >= coalesce((SELECT before FROM expiry WHERE kind = 'interaction'), '-infinity')
)
SELECT 'counted' AS side, to_jsonb(c) AS row FROM (SELECT * FROM counted EXCEPT ALL SELECT * FROM recounted) c
UNION ALL
SELECT 'recounted', to_jsonb(r) FROM (SELECT * FROM recounted EXCEPT ALL SELECT * FROM counted) r

-- name: clear_interaction_hour - counts of hours of which all rows are there
DELETE FROM interaction_hour
WHERE placement = ANY(%(placements)s) AND bucket >= coalesce((SELECT before FROM expiry WHERE kind = 'interaction'), '-infinity')

-- name: rebuild_interaction_hour - the same from the rows
INSERT INTO interaction_hour (bucket, placement, action, target, language, interactions, duration_ms, ratings, rating_sum)
SELECT bucket, placement, action, target, language, interactions, duration_ms, ratings, rating_sum
FROM recount_interaction_hour
WHERE placement = ANY(%(placements)s) AND bucket >= coalesce((SELECT before FROM expiry WHERE kind = 'interaction'), '-infinity')

-- name: differences_health_hour - counts that are not what the rows say, and what the rows say instead
WITH counted AS (
SELECT bucket, placement, samples, temperatures, temperature_sum_dc, undervoltage, queue_sum,
       queue_oldest_sum_s, rtts, rtt_sum_ms, signals, signal_sum_dbm
FROM health_hour
WHERE placement = ANY(%(placements)s) AND bucket >= coalesce((SELECT before FROM expiry WHERE kind = 'health'), '-infinity')
), recounted AS (
SELECT bucket, placement, samples, temperatures, temperature_sum_dc, undervoltage, queue_sum,
       queue_oldest_sum_s, rtts, rtt_sum_ms, signals, signal_sum_dbm
FROM recount_health_hour
WHERE placement = ANY(%(placements)s) AND bucket >= coalesce((SELECT before FROM expiry WHERE kind = 'health'), '-infinity')
)
SELECT 'counted' AS side, to_jsonb(c) AS row FROM (SELECT * FROM counted EXCEPT ALL SELECT * FROM recounted) c
UNION ALL
SELECT 'recounted', to_jsonb(r) FROM (SELECT * FROM recounted EXCEPT ALL SELECT * FROM counted) r

-- name: clear_health_hour - counts of hours of which all rows are there
DELETE FROM health_hour
WHERE placement = ANY(%(placements)s) AND bucket >= coalesce((SELECT before FROM expiry WHERE kind = 'health'), '-infinity')

-- name: rebuild_health_hour - the same from the rows
INSERT INTO health_hour (bucket, placement, samples, temperatures, temperature_sum_dc, undervoltage, queue_sum,
       queue_oldest_sum_s, rtts, rtt_sum_ms, signals, signal_sum_dbm)
SELECT bucket, placement, samples, temperatures, temperature_sum_dc, undervoltage, queue_sum,
       queue_oldest_sum_s, rtts, rtt_sum_ms, signals, signal_sum_dbm
FROM recount_health_hour
WHERE placement = ANY(%(placements)s) AND bucket >= coalesce((SELECT before FROM expiry WHERE kind = 'health'), '-infinity')

-- name: differences_fault_hour - counts that are not what the rows say, and what the rows say instead
WITH counted AS (
SELECT bucket, placement, code, component, faults
FROM fault_hour
WHERE placement = ANY(%(placements)s) AND bucket >= coalesce((SELECT before FROM expiry WHERE kind = 'fault'), '-infinity')
), recounted AS (
SELECT bucket, placement, code, component, faults
FROM recount_fault_hour
WHERE placement = ANY(%(placements)s) AND bucket >= coalesce((SELECT before FROM expiry WHERE kind = 'fault'), '-infinity')
)
SELECT 'counted' AS side, to_jsonb(c) AS row FROM (SELECT * FROM counted EXCEPT ALL SELECT * FROM recounted) c
UNION ALL
SELECT 'recounted', to_jsonb(r) FROM (SELECT * FROM recounted EXCEPT ALL SELECT * FROM counted) r

-- name: clear_fault_hour - counts of hours of which all rows are there
DELETE FROM fault_hour
WHERE placement = ANY(%(placements)s) AND bucket >= coalesce((SELECT before FROM expiry WHERE kind = 'fault'), '-infinity')

-- name: rebuild_fault_hour - the same from the rows
INSERT INTO fault_hour (bucket, placement, code, component, faults)
SELECT bucket, placement, code, component, faults
FROM recount_fault_hour
WHERE placement = ANY(%(placements)s) AND bucket >= coalesce((SELECT before FROM expiry WHERE kind = 'fault'), '-infinity')

-- name: differences_event_hour - counts that are not what the rows say, and what the rows say instead
WITH counted AS (
SELECT bucket, placement, kind, events
FROM event_hour LEFT JOIN expiry x USING (kind)
WHERE placement = ANY(%(placements)s) AND (x.before IS NULL OR bucket >= x.before)
), recounted AS (
SELECT bucket, placement, kind, events
FROM recount_event_hour LEFT JOIN expiry x USING (kind)
WHERE placement = ANY(%(placements)s) AND (x.before IS NULL OR bucket >= x.before)
)
SELECT 'counted' AS side, to_jsonb(c) AS row FROM (SELECT * FROM counted EXCEPT ALL SELECT * FROM recounted) c
UNION ALL
SELECT 'recounted', to_jsonb(r) FROM (SELECT * FROM recounted EXCEPT ALL SELECT * FROM counted) r

-- name: clear_event_hour - counts of hours of which all rows are there
DELETE FROM event_hour t WHERE placement = ANY(%(placements)s)
AND NOT EXISTS (SELECT 1 FROM expiry x WHERE x.kind = t.kind AND t.bucket < x.before)

-- name: rebuild_event_hour - the same from the rows
INSERT INTO event_hour (bucket, placement, kind, events)
SELECT bucket, placement, kind, events
FROM recount_event_hour LEFT JOIN expiry x USING (kind)
WHERE placement = ANY(%(placements)s) AND (x.before IS NULL OR bucket >= x.before)

-- name: differences_visit_hour - counts that are not what the facts of visits say, and what these say instead
WITH counted AS (
SELECT bucket, placement, language, content, sessions, page_views, duration_ms, feedbacks, feedback_sum
FROM visit_hour
WHERE placement = ANY(%(placements)s) AND bucket >= coalesce((SELECT before FROM expiry WHERE kind = 'interaction'), '-infinity')
  AND (sessions, page_views, duration_ms, feedbacks, feedback_sum) <> (0, 0, 0, 0, 0)
), recounted AS (
SELECT bucket, placement, language, content, sessions, page_views, duration_ms, feedbacks, feedback_sum
FROM recount_visit_hour
WHERE placement = ANY(%(placements)s) AND bucket >= coalesce((SELECT before FROM expiry WHERE kind = 'interaction'), '-infinity')
  AND (sessions, page_views, duration_ms, feedbacks, feedback_sum) <> (0, 0, 0, 0, 0)
)
SELECT 'counted' AS side, to_jsonb(c) AS row FROM (SELECT * FROM counted EXCEPT ALL SELECT * FROM recounted) c
UNION ALL
SELECT 'recounted', to_jsonb(r) FROM (SELECT * FROM recounted EXCEPT ALL SELECT * FROM counted) r

-- name: clear_visit_hour - counts of hours of which all facts are there
DELETE FROM visit_hour
WHERE placement = ANY(%(placements)s) AND bucket >= coalesce((SELECT before FROM expiry WHERE kind = 'interaction'), '-infinity')

-- name: rebuild_visit_hour - the same from the facts
INSERT INTO visit_hour (bucket, placement, language, content, sessions, page_views, duration_ms, feedbacks, feedback_sum)
SELECT bucket, placement, language, content, sessions, page_views, duration_ms, feedbacks, feedback_sum
FROM recount_visit_hour
WHERE placement = ANY(%(placements)s) AND bucket >= coalesce((SELECT before FROM expiry WHERE kind = 'interaction'), '-infinity')
