-- name: sites - codes that a plan can name
SELECT code FROM site

-- name: devices - names that a plan can name
SELECT name FROM device WHERE registered_at IS NOT NULL

-- name: campaigns - codes that a plan can name
SELECT code FROM campaign

-- name: group_codes - codes that a plan can name
SELECT code FROM device_group

-- name: contents - codes that a plan can name
SELECT code FROM content WHERE deleted_at IS NULL

-- name: put_group - a group as its file says; a row comes back only if something changed, and says whether it is new
INSERT INTO device_group AS known (code, name_vi) VALUES (%(code)s, %(name_vi)s)
ON CONFLICT (code) DO UPDATE SET name_vi = excluded.name_vi WHERE known.name_vi <> excluded.name_vi
RETURNING known.xmax = 0 AS added

-- name: put_members - exactly these devices are in a group. Returns how many came or went
WITH given AS (
    SELECT id FROM device WHERE name = ANY(%(devices)s::text[])
), gone AS (
    DELETE FROM device_group_member WHERE device_group = %(code)s AND device NOT IN (SELECT id FROM given) RETURNING 1
), come AS (
    INSERT INTO device_group_member (device_group, device) SELECT %(code)s, id FROM given
    ON CONFLICT DO NOTHING RETURNING 1
)
SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM come)

-- name: put_item - a line of the plan as its file says; a row comes back as put_group's does
INSERT INTO plan_item AS known (code, campaign, target_kind, target, contents, topic, first_day, last_day, weekdays, hours,
    unit, least, languages, shortest_play_ms, screens, recorded_at, recorded_by)
VALUES (%(code)s, %(campaign)s, %(target_kind)s, %(target)s, %(contents)s::text[], %(topic)s, %(first_day)s, %(last_day)s,
    %(weekdays)s::smallint[], %(hours)s::smallint[], %(unit)s, %(least)s, %(languages)s, %(shortest_play_ms)s, %(screens)s,
    %(recorded_at)s, %(recorded_by)s)
ON CONFLICT (code) DO UPDATE
SET campaign = excluded.campaign, target_kind = excluded.target_kind, target = excluded.target,
    contents = excluded.contents, topic = excluded.topic, first_day = excluded.first_day, last_day = excluded.last_day,
    weekdays = excluded.weekdays, hours = excluded.hours, unit = excluded.unit, least = excluded.least,
    languages = excluded.languages, shortest_play_ms = excluded.shortest_play_ms, screens = excluded.screens,
    recorded_at = excluded.recorded_at, recorded_by = excluded.recorded_by
WHERE (known.campaign, known.target_kind, known.target, known.contents, known.topic, known.first_day, known.last_day,
       known.weekdays, known.hours, known.unit, known.least, known.languages, known.shortest_play_ms, known.screens)
      IS DISTINCT FROM (excluded.campaign, excluded.target_kind, excluded.target, excluded.contents, excluded.topic,
                        excluded.first_day, excluded.last_day, excluded.weekdays, excluded.hours, excluded.unit,
                        excluded.least, excluded.languages, excluded.shortest_play_ms, excluded.screens)
RETURNING known.xmax = 0 AS added

-- name: remove_item - a line of the plan that ought not to be there
DELETE FROM plan_item WHERE code = %(code)s RETURNING code

-- name: items - the plan, by code
SELECT code, campaign, target_kind::text AS target_kind, target, contents, topic, first_day, last_day, weekdays, hours,
       unit::text AS unit, least, languages, shortest_play_ms, screens, recorded_at, recorded_by
FROM plan_item ORDER BY code

-- name: groups - groups with their members, by code
SELECT g.code, g.name_vi,
       ARRAY(SELECT d.name FROM device_group_member m JOIN device d ON d.id = m.device
             WHERE m.device_group = g.code ORDER BY d.name) AS devices
FROM device_group g ORDER BY g.code

-- name: devices_of - the devices that a target stands for now
SELECT d.name FROM device d
WHERE (%(kind)s = 'device' AND d.name = %(target)s)
   OR (%(kind)s = 'site' AND EXISTS (SELECT FROM device_place p WHERE p.device = d.id AND p.site = %(target)s))
   OR (%(kind)s = 'group' AND EXISTS (SELECT FROM device_group_member m
                                      WHERE m.device = d.id AND m.device_group = %(target)s))
ORDER BY d.name

-- name: note - for the log of deeds
INSERT INTO audit_entry (at, who, deed, what, detail) VALUES (%(now)s, %(who)s, %(deed)s, %(what)s, %(detail)s)
