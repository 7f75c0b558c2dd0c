-- For the API and for lists. The catalogue itself belongs to no place; what was shown and what is planned does:
-- `provinces` is an array of codes, or null: all of them, and what stands in none.

-- name: contents - what each content is said to be by its newest version, by code, from one code on
SELECT c.code, c.deleted_at, v.*
FROM content c
CROSS JOIN LATERAL (
    SELECT v.version, v.title_vi, v.title_foreign, v.title_language, v.language, v.topic, v.kind::text AS kind,
           v.priority::text AS priority, v.approval_no, v.approval_body, v.approval_date, v.valid_from, v.valid_until,
           v.withdrawn_on, v.source, encode(v.media_sha256, 'hex') AS media_sha256,
           encode(v.frame_hash, 'hex') AS frame_hash, v.recorded_at, v.recorded_by,
           ARRAY(SELECT r.ref FROM content_ref r WHERE r.content = c.code AND r.version = v.version ORDER BY 1) AS refs
    FROM content_version v WHERE v.content = c.code ORDER BY v.version DESC LIMIT 1
) v
WHERE c.code > %(after)s AND (c.deleted_at IS NOT NULL) = %(deleted)s
  AND (%(topic)s::text IS NULL OR v.topic = %(topic)s)
ORDER BY c.code
LIMIT %(limit)s

-- name: seen - what was seen of a content: names and bytes that rest on its versions, and on which days
SELECT s.content_ref, encode(s.content_sha256, 'hex') AS content_sha256, r.first_day, r.last_day, r.verdict::text AS verdict,
       r.version, s.first_seen
FROM resolved r JOIN shown_content s ON s.id = r.content
WHERE r.code = %(code)s
  AND (%(provinces)s::text[] IS NULL
       OR EXISTS (SELECT FROM play_day d JOIN placement p ON p.id = d.placement
                  WHERE d.content = s.id AND p.province_code = ANY(%(provinces)s)))
ORDER BY s.id, r.first_day

-- name: changes - what changes of the catalogue made of what was shown, newest first, below one of them
SELECT rc.id, cc.at, cc.who, cc.deed, cc.contents, cc.reason, s.content_ref,
       encode(s.content_sha256, 'hex') AS content_sha256, rc.first_day, rc.last_day,
       rc.old_verdict::text AS old_verdict, rc.old_code, rc.old_version,
       rc.new_verdict::text AS new_verdict, rc.new_code, rc.new_version
FROM resolution_change rc JOIN catalogue_change cc ON cc.id = rc.change JOIN shown_content s ON s.id = rc.content
WHERE (%(code)s::text IS NULL OR rc.old_code = %(code)s OR rc.new_code = %(code)s)
  AND (%(before)s::bigint IS NULL OR rc.id < %(before)s)
  AND (%(provinces)s::text[] IS NULL
       OR EXISTS (SELECT FROM play_day d JOIN placement p ON p.id = d.placement
                  WHERE d.content = rc.content AND p.province_code = ANY(%(provinces)s)))
ORDER BY rc.id DESC
LIMIT %(limit)s

-- name: plan - lines of the plan with the devices that they are for now; of other provinces neither line nor device
SELECT i.*, d.devices
FROM (SELECT code, campaign, target_kind::text AS target_kind, target, contents, topic, first_day, last_day, weekdays,
             hours, unit::text AS unit, least, languages, shortest_play_ms, screens, recorded_at
      FROM plan_item) i
CROSS JOIN LATERAL (
    SELECT array_agg(d.name ORDER BY d.name) AS devices
    FROM device d LEFT JOIN device_place p ON p.device = d.id
    WHERE (%(provinces)s::text[] IS NULL OR p.province_code = ANY(%(provinces)s))
      AND CASE i.target_kind
          WHEN 'device' THEN d.name = i.target
          WHEN 'site' THEN p.site = i.target
          ELSE EXISTS (SELECT FROM device_group_member m WHERE m.device = d.id AND m.device_group = i.target)
      END
) d
WHERE %(provinces)s::text[] IS NULL OR d.devices IS NOT NULL
   OR (i.target_kind = 'site' AND EXISTS (SELECT FROM site_now s
                                          WHERE s.code = i.target AND s.province_code = ANY(%(provinces)s)))
ORDER BY i.first_day, i.code
