-- What dashboards and reports ask, of the schema `report` alone; `since` and `until` are the range that a person has
-- chosen, `site` and `device` what they look at. Names that end in _list look at rows, and are asked of a day at most.

-- name: sites
SELECT site, site_vi, province_code, status, lat, lon FROM report.site ORDER BY site

-- name: devices
SELECT device, kind, site, site_vi, presence, seen_at, version, queue_oldest_s FROM report.device ORDER BY device

-- name: screens_now
SELECT device, screen, content_ref, grade, "time" FROM report.screen_now ORDER BY device, screen

-- name: plays_by_day
SELECT local_day, sum(plays) AS plays, sum(shown_ms) AS shown_ms FROM report.play_hour
WHERE bucket >= %(since)s AND bucket < %(until)s GROUP BY local_day ORDER BY local_day

-- name: plays_by_site_and_grade
SELECT site, grade, sum(plays) AS plays, sum(shown_ms) AS shown_ms FROM report.play_hour
WHERE bucket >= %(since)s AND bucket < %(until)s GROUP BY site, grade ORDER BY site, grade

-- name: plays_by_content
SELECT content_ref, sum(plays) AS plays, sum(shown_ms) AS shown_ms, sum(failed) AS failed FROM report.play_hour
WHERE bucket >= %(since)s AND bucket < %(until)s GROUP BY content_ref ORDER BY 2 DESC LIMIT 50

-- name: plays_of_a_site
SELECT bucket, device, sum(plays) AS plays FROM report.play_hour
WHERE bucket >= %(since)s AND bucket < %(until)s AND site = %(site)s GROUP BY bucket, device ORDER BY bucket

-- name: interactions_by_language
SELECT language, sum(interactions) AS interactions FROM report.interaction_hour
WHERE bucket >= %(since)s AND bucket < %(until)s GROUP BY language ORDER BY 2 DESC

-- name: pages
SELECT target, sum(interactions) AS views, sum(duration_ms) AS dwell_ms FROM report.interaction_hour
WHERE bucket >= %(since)s AND bucket < %(until)s AND action = 'page_view' GROUP BY target ORDER BY 2 DESC

-- name: visits_by_language
SELECT language, sum(sessions) AS sessions, sum(duration_ms) AS duration_ms, sum(feedbacks) AS feedbacks,
       sum(feedback_sum) AS feedback_sum
FROM report.visit_hour WHERE bucket >= %(since)s AND bucket < %(until)s GROUP BY language ORDER BY 2 DESC

-- name: visits_by_hour_of_week
SELECT extract(isodow FROM bucket + interval '7 hours') AS weekday, extract(hour FROM bucket + interval '7 hours') AS hour,
       sum(sessions) AS sessions
FROM report.visit_hour WHERE bucket >= %(since)s AND bucket < %(until)s GROUP BY 1, 2 ORDER BY 1, 2

-- name: health_of_a_device
SELECT bucket, temperature_sum_dc / 10.0 / nullif(temperatures, 0) AS temperature_c, undervoltage, queue_oldest_sum_s
FROM report.health_hour WHERE bucket >= %(since)s AND bucket < %(until)s AND device = %(device)s ORDER BY bucket

-- name: faults_by_code
SELECT code, component, sum(faults) AS faults FROM report.fault_hour
WHERE bucket >= %(since)s AND bucket < %(until)s GROUP BY code, component ORDER BY 3 DESC

-- name: events_by_device
SELECT device, sum(events) AS events FROM report.event_hour
WHERE bucket >= %(since)s AND bucket < %(until)s GROUP BY device ORDER BY 2

-- name: streams
SELECT device, sum(hole_events) AS holes, sum(lost_events) AS lost FROM report.stream GROUP BY device ORDER BY device

-- name: published
SELECT month, site, language, sessions, flag FROM report.visitors_published
WHERE bucket >= %(since)s AND bucket < %(until)s ORDER BY month, site, language

-- name: play_list
SELECT "time", device, content_ref, grade, status, duration_ms FROM report.play
WHERE "time" >= %(since)s AND "time" < %(until)s AND site = %(site)s ORDER BY "time" DESC LIMIT 200

-- name: health_list
SELECT "time", temperature_c, undervoltage, queue_oldest_s FROM report.health
WHERE "time" >= %(since)s AND "time" < %(until)s AND device = %(device)s ORDER BY "time"

-- name: fault_list
SELECT "time", device, code, reason FROM report.fault
WHERE "time" >= %(since)s AND "time" < %(until)s ORDER BY "time" DESC LIMIT 200
