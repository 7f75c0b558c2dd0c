-- What dashboards and reports ask, of the schema `report` alone; `since` and `until` are the range that a person has
-- chosen (`first_day` and `last_day` where a view is of local days), `site` and `device` what they look at. Names that end
-- in _list look at rows, and are asked of a day at most; names that end in _hours look at hours of many places, and are
-- asked of a week: for longer there are the days of `play_day`.

-- name: sites
SELECT site, site_vi, province_code, status, lat, lon FROM report.site ORDER BY site

-- name: provinces
SELECT province_code, province_vi FROM report.province ORDER BY province_code

-- name: opening_hours
SELECT site, weekday, opens_min, closes_min FROM report.site_hours ORDER BY site, weekday

-- name: placements
SELECT device, site, since, until FROM report.placement ORDER BY device, placement

-- name: organisations
SELECT organisation, name_vi FROM report.organisation ORDER BY organisation

-- name: activities
SELECT kind, name_vi, place, held_on, people FROM report.activity
WHERE held_on >= %(first_day)s AND held_on <= %(last_day)s ORDER BY held_on

-- name: groups
SELECT device_group, device FROM report.device_group ORDER BY 1, 2

-- name: devices
SELECT device, kind, site, site_vi, presence, seen_at, version, queue_oldest_s FROM report.device ORDER BY device

-- name: screens_now
SELECT device, screen, content_ref, grade, "time" FROM report.screen_now ORDER BY device, screen

-- name: plays_by_verdict
SELECT verdict, sum(plays) AS plays, sum(shown_ms) AS shown_ms FROM report.play_day
WHERE day >= %(first_day)s AND day <= %(last_day)s GROUP BY verdict ORDER BY verdict

-- name: plays_by_verdict_in_hours
SELECT verdict, sum(plays) AS plays, sum(shown_ms) AS shown_ms FROM report.play_hour
WHERE bucket >= %(since)s AND bucket < %(until)s GROUP BY verdict ORDER BY verdict

-- name: record_by_topic
SELECT topic, language, sum(plays) AS plays, sum(shown_ms) AS shown_ms FROM report.play_day
WHERE day >= %(first_day)s AND day <= %(last_day)s GROUP BY topic, language ORDER BY 3 DESC

-- name: record_by_content
SELECT code, title_vi, approval_no, verdict, sum(plays) AS plays, sum(shown_ms) AS shown_ms FROM report.play_day
WHERE day >= %(first_day)s AND day <= %(last_day)s GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC

-- name: record_of_a_site
SELECT day, verdict, sum(plays) AS plays FROM report.play_day
WHERE day >= %(first_day)s AND day <= %(last_day)s AND site = %(site)s GROUP BY 1, 2 ORDER BY 1, 2

-- name: days_recorded
SELECT day, count(*) AS places, sum(restated) AS restated FROM report.day_recorded
WHERE day >= %(first_day)s AND day <= %(last_day)s GROUP BY day ORDER BY day

-- name: catalogue
SELECT code, version, title_vi, topic, language, approval_no, valid_until FROM report.content WHERE newest ORDER BY code

-- name: topics
SELECT topic, label_vi FROM report.topic ORDER BY topic

-- name: campaigns
SELECT campaign, name_vi, begins_on, ends_on FROM report.campaign ORDER BY campaign

-- name: plan
SELECT item, target, topic, unit, least FROM report.plan_item ORDER BY item

-- name: plan_by_outcome
SELECT site, result, count(*) AS windows FROM report.plan_result
WHERE day >= %(first_day)s AND day <= %(last_day)s GROUP BY site, result ORDER BY site, result

-- name: plan_of_a_site
SELECT day, result, count(*) AS windows, sum(unknown_ms) AS unknown_ms FROM report.plan_result
WHERE day >= %(first_day)s AND day <= %(last_day)s AND site = %(site)s GROUP BY day, result ORDER BY day

-- name: incidents_open
SELECT kind, device, subject, opened_at, acknowledged_at FROM report.incident WHERE closed_at IS NULL ORDER BY opened_at

-- name: incidents_by_kind
SELECT kind, count(*) AS incidents FROM report.incident
WHERE "time" >= %(since)s AND "time" < %(until)s GROUP BY kind ORDER BY kind

-- name: connections_of_a_device
SELECT since, until, ended FROM report.presence
WHERE since < %(until)s AND coalesce(until, now()) >= %(since)s AND device = %(device)s ORDER BY since

-- name: offline_by_site
SELECT site, count(*) AS breaks FROM report.presence
WHERE "time" >= %(since)s AND "time" < %(until)s AND ended = 'lost' GROUP BY site ORDER BY 2 DESC

-- name: unknown_by_site
SELECT site, sum(until - "time") AS unknown FROM report.unknown_time
WHERE day >= %(first_day)s AND day <= %(last_day)s GROUP BY site ORDER BY 2 DESC

-- name: losses
SELECT device, kind, reason, sum(events) AS events FROM report.loss
WHERE "time" >= %(since)s AND "time" < %(until)s GROUP BY 1, 2, 3 ORDER BY 4 DESC

-- name: holes
SELECT device, sum(events) AS events FROM report.hole GROUP BY device ORDER BY 2 DESC

-- name: starts_by_device
SELECT device, count(*) AS starts FROM report.lifecycle
WHERE "time" >= %(since)s AND "time" < %(until)s AND action = 'start' GROUP BY device ORDER BY 2 DESC

-- name: screen_list
SELECT "time", device, screen, state FROM report.screen
WHERE "time" >= %(since)s AND "time" < %(until)s AND site = %(site)s ORDER BY "time"

-- name: visit_list
SELECT "time", device, duration_ms, main_language, page_views, rating FROM report.visit
WHERE "time" >= %(since)s AND "time" < %(until)s ORDER BY "time" DESC LIMIT 200

-- name: interactions_by_action
SELECT action, sum(interactions) AS interactions FROM report.interaction_hour
WHERE bucket >= %(since)s AND bucket < %(until)s AND site = %(site)s GROUP BY action ORDER BY 2 DESC

-- name: plays_by_day
SELECT day, sum(plays) AS plays, sum(shown_ms) AS shown_ms FROM report.play_day
WHERE day >= %(first_day)s AND day <= %(last_day)s GROUP BY day ORDER BY day

-- name: plays_in_hours
SELECT bucket, sum(plays) AS plays, sum(shown_ms) AS shown_ms FROM report.play_hour
WHERE bucket >= %(since)s AND bucket < %(until)s GROUP BY bucket ORDER BY bucket

-- name: plays_by_site_and_grade
SELECT site, grade, sum(plays) AS plays, sum(shown_ms) AS shown_ms FROM report.play_day
WHERE day >= %(first_day)s AND day <= %(last_day)s GROUP BY site, grade ORDER BY site, grade

-- name: plays_by_site_and_grade_in_hours
SELECT site, grade, sum(plays) AS plays, sum(shown_ms) AS shown_ms FROM report.play_hour
WHERE bucket >= %(since)s AND bucket < %(until)s GROUP BY site, grade ORDER BY site, grade

-- name: plays_by_content
SELECT content_ref, sum(plays) AS plays, sum(shown_ms) AS shown_ms, sum(failed) AS failed FROM report.play_day
WHERE day >= %(first_day)s AND day <= %(last_day)s GROUP BY content_ref ORDER BY 2 DESC LIMIT 50

-- name: plays_by_content_in_hours
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
