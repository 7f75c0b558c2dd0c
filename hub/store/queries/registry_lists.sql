-- Lists of the registry. `provinces` is an array of codes, or null: all. What belongs to no province is national, and
-- everybody's to see. `as_of` is a local day, or null: today, and then also what begins later.

-- name: provinces - provinces that are valid on a day, and those merged into what may be seen
SELECT p.code, p.name_vi, nullif(p.valid_from, '-infinity') AS valid_from, p.valid_until, p.merged_into
FROM province_period p
WHERE (%(provinces)s::text[] IS NULL OR p.code = ANY (%(provinces)s) OR p.merged_into = ANY (%(provinces)s))
  AND (%(as_of)s::date IS NULL
       OR (p.valid_from <= %(as_of)s AND coalesce(p.valid_until, 'infinity') > %(as_of)s
           AND NOT EXISTS (SELECT FROM province_period later WHERE later.code = p.code
                           AND later.valid_from > p.valid_from AND later.valid_from <= %(as_of)s)))
ORDER BY p.code, p.valid_from

-- name: organisations - organisations that are valid on a day
SELECT agency_code, name_vi, province, parent, valid_from, valid_until
FROM organisation
WHERE (%(provinces)s::text[] IS NULL OR province IS NULL OR province = ANY (%(provinces)s))
  AND (%(as_of)s::date IS NULL
       OR (coalesce(valid_from, '-infinity') <= %(as_of)s AND coalesce(valid_until, 'infinity') > %(as_of)s))
ORDER BY agency_code

-- name: gates - gates as they are on a day
SELECT g.code, g.name_vi, g.neighbour, g.gate_type, g.province_code, g.province_vi,
       nullif(g.since, '-infinity') AS since, g.lat, g.lon, g.confidence,
       (SELECT count(*) FROM site s WHERE s.gate = g.code) AS sites
FROM gate_at(coalesce(%(as_of)s::date, local_day(now()))) g
WHERE (%(provinces)s::text[] IS NULL OR g.province_code = ANY (%(provinces)s))
  AND (%(as_of)s::date IS NULL OR g.since <= %(as_of)s)
ORDER BY g.province_code, g.code

-- name: gate_periods - what gates were, are, and will be
SELECT p.gate, nullif(p.since, '-infinity') AS since, p.gate_type, p.province_code,
       lead(p.since) OVER (PARTITION BY p.gate ORDER BY p.since) AS until
FROM gate_period p
ORDER BY p.gate, p.since

-- name: sites - sites as they are on a day
SELECT s.code, s.name_vi, s.gate, s.gate_vi, s.status, s.invested_at, s.funding, s.organisation, s.gate_type,
       s.province_code, s.province_vi, s.neighbour, nullif(s.since, '-infinity') AS since, s.lat, s.lon, s.surveyed,
       s.confidence,
       (SELECT count(DISTINCT p.device) FROM placement p
        WHERE p.site = s.code
          AND p.since < coalesce(begin_of(%(as_of)s::date + 1), now())
          AND NOT EXISTS (SELECT FROM placement later WHERE later.device = p.device AND later.since > p.since
                          AND later.since < coalesce(begin_of(%(as_of)s::date + 1), now()))) AS devices
FROM site_at(coalesce(%(as_of)s::date, local_day(now()))) s
WHERE (%(provinces)s::text[] IS NULL OR s.province_code = ANY (%(provinces)s))
  AND (%(as_of)s::date IS NULL OR s.since <= %(as_of)s)
ORDER BY s.province_code, s.code

-- name: hours - opening hours
SELECT site, weekday, opens_min, closes_min FROM site_hours ORDER BY site, weekday, opens_min

-- name: devices - devices that stand, or stood once, where may be seen; and where each stands at the end of a day
SELECT d.name, d.kind, d.title_vi, d.registered_at, d.first_seen,
       stands.site, stands.site_vi, stands.province_code
FROM device d
LEFT JOIN LATERAL (
    SELECT site, site_vi, province_code FROM (
        SELECT p.site, s.name_vi AS site_vi, p.province_code
        FROM placement p LEFT JOIN site s ON s.code = p.site
        WHERE p.device = d.id AND p.since < coalesce(begin_of(%(as_of)s::date + 1), now())
        ORDER BY p.since DESC LIMIT 1
    ) last WHERE %(provinces)s::text[] IS NULL OR last.province_code = ANY (%(provinces)s)
) stands ON true
WHERE %(provinces)s::text[] IS NULL
   OR EXISTS (SELECT FROM placement p WHERE p.device = d.id AND p.province_code = ANY (%(provinces)s))
ORDER BY d.name

-- name: placements - where devices stood when, where may be seen
SELECT d.name AS device, p.id AS placement, nullif(p.since, '-infinity') AS since, p.until, p.site, s.name_vi AS site_vi,
       p.province_code
FROM (
    SELECT id, device, since, lead(since) OVER (PARTITION BY device ORDER BY since) AS until, site, province_code
    FROM placement
) p JOIN device d ON d.id = p.device LEFT JOIN site s ON s.code = p.site
WHERE %(provinces)s::text[] IS NULL OR p.province_code = ANY (%(provinces)s)
ORDER BY d.name, p.since

-- name: campaigns - campaigns, the latest first
SELECT c.code, c.name_vi, c.begins_on, c.ends_on, c.organisation, o.name_vi AS organisation_vi, o.province, c.document
FROM campaign c LEFT JOIN organisation o ON o.agency_code = c.organisation
WHERE %(provinces)s::text[] IS NULL OR o.province IS NULL OR o.province = ANY (%(provinces)s)
ORDER BY c.begins_on DESC, c.code

-- name: activities - activities, the latest first
SELECT a.code, a.kind, a.name_vi, a.place, a.held_on, a.people, a.organisation, o.name_vi AS organisation_vi, o.province
FROM activity a JOIN organisation o ON o.agency_code = a.organisation
WHERE %(provinces)s::text[] IS NULL OR o.province IS NULL OR o.province = ANY (%(provinces)s)
ORDER BY a.held_on DESC, a.code
