-- name: lock - one change of the registry at a time
SELECT pg_advisory_xact_lock(%(lock)s)

-- name: known_provinces - every period of every province
SELECT code, nullif(valid_from, '-infinity') AS valid_from, name_vi, valid_until, merged_into
FROM province_period p ORDER BY p.code, p.valid_from

-- name: known_organisations - all of them
SELECT agency_code, name_vi, province, parent, valid_from, valid_until FROM organisation

-- name: known_gates - gates with their periods in order; the beginning of time as the first day that Python knows
SELECT g.code, g.name_vi, g.neighbour, g.lat, g.lon, g.confidence,
       array_agg(greatest(p.since, '0001-01-01') ORDER BY p.since) AS since,
       array_agg(p.gate_type ORDER BY p.since) AS gate_types,
       array_agg(p.province_code ORDER BY p.since) AS provinces
FROM gate g JOIN gate_period p ON p.gate = g.code GROUP BY g.code

-- name: known_sites - all of them
SELECT code, gate, name_vi, status, invested_at, funding, organisation, lat, lon FROM site

-- name: known_hours - opening hours of all sites
SELECT site, weekday, opens_min, closes_min FROM site_hours ORDER BY site, weekday, opens_min

-- name: known_devices - devices, registered or only heard of, with their stays in order
SELECT d.name, d.kind, d.title_vi, d.registered_at IS NOT NULL AS is_registered,
       array_agg(nullif(p.since, '-infinity') ORDER BY p.since) AS since, array_agg(p.site ORDER BY p.since) AS sites
FROM device d JOIN placement p ON p.device = d.id GROUP BY d.id

-- name: known_campaigns - all of them
SELECT code, name_vi, begins_on, ends_on, organisation, document FROM campaign

-- name: known_activities - all of them
SELECT code, kind, name_vi, place, held_on, people, organisation FROM activity

-- name: put_province - a code for which there may be periods
INSERT INTO province (code) VALUES (%(code)s) ON CONFLICT DO NOTHING

-- name: put_province_period - a province from a day on
INSERT INTO province_period (code, valid_from, name_vi, valid_until, merged_into)
VALUES (%(code)s, coalesce(%(valid_from)s::date, '-infinity'), %(name_vi)s, %(valid_until)s, %(merged_into)s)
ON CONFLICT (code, valid_from) DO UPDATE
SET name_vi = excluded.name_vi, valid_until = excluded.valid_until, merged_into = excluded.merged_into

-- name: put_organisation - an organisation as its file says
INSERT INTO organisation (agency_code, name_vi, province, parent, valid_from, valid_until)
VALUES (%(agency_code)s, %(name_vi)s, %(province)s, %(parent)s, %(valid_from)s, %(valid_until)s)
ON CONFLICT (agency_code) DO UPDATE
SET name_vi = excluded.name_vi, province = excluded.province, parent = excluded.parent,
    valid_from = excluded.valid_from, valid_until = excluded.valid_until

-- name: put_gate - a gate as its file says; its row is locked from here on
INSERT INTO gate (code, name_vi, neighbour, lat, lon, confidence)
VALUES (%(code)s, %(name_vi)s, %(neighbour)s, %(lat)s, %(lon)s, %(confidence)s)
ON CONFLICT (code) DO UPDATE
SET name_vi = excluded.name_vi, neighbour = excluded.neighbour, lat = excluded.lat, lon = excluded.lon,
    confidence = excluded.confidence

-- name: put_gate_period - type and province of a gate from a day on
INSERT INTO gate_period (gate, since, gate_type, province_code)
VALUES (%(code)s, %(begins)s::date, %(gate_type)s, %(province_code)s)
ON CONFLICT (gate, since) DO UPDATE SET gate_type = excluded.gate_type, province_code = excluded.province_code

-- name: put_site - a site as its file says
INSERT INTO site (code, gate, name_vi, status, invested_at, funding, organisation, lat, lon)
VALUES (%(code)s, %(gate)s, %(name_vi)s, %(status)s, %(invested_at)s, %(funding)s, %(organisation)s, %(lat)s, %(lon)s)
ON CONFLICT (code) DO UPDATE
SET name_vi = excluded.name_vi, status = excluded.status, invested_at = excluded.invested_at,
    funding = excluded.funding, organisation = excluded.organisation, lat = excluded.lat, lon = excluded.lon

-- name: put_point - a site of which nothing but its name is said
INSERT INTO site (code, gate, name_vi) VALUES (%(code)s, %(code)s, %(name_vi)s)
ON CONFLICT (code) DO UPDATE SET name_vi = excluded.name_vi

-- name: drop_hours - before a site's opening hours are written anew
DELETE FROM site_hours WHERE site = %(site)s

-- name: put_hours - a span of a site's opening hours
INSERT INTO site_hours (site, weekday, opens_min, closes_min)
VALUES (%(site)s, %(weekday)s, %(opens_min)s, %(closes_min)s)

-- name: put_device - a device as its file says; one that reported before keeps its id
INSERT INTO device AS known (name, kind, title_vi, registered_at)
VALUES (%(name)s, %(kind)s, %(title_vi)s, now())
ON CONFLICT (name) DO UPDATE
SET kind = excluded.kind, title_vi = excluded.title_vi,
    registered_at = coalesce(known.registered_at, excluded.registered_at)

-- name: put_campaign - a campaign as its file says
INSERT INTO campaign (code, name_vi, begins_on, ends_on, organisation, document)
VALUES (%(code)s, %(name_vi)s, %(begins_on)s, %(ends_on)s, %(organisation)s, %(document)s)
ON CONFLICT (code) DO UPDATE
SET name_vi = excluded.name_vi, begins_on = excluded.begins_on, ends_on = excluded.ends_on,
    organisation = excluded.organisation, document = excluded.document

-- name: put_activity - an activity as its file says
INSERT INTO activity (code, kind, name_vi, place, held_on, people, organisation)
VALUES (%(code)s, %(kind)s, %(name_vi)s, %(place)s, %(held_on)s, %(people)s, %(organisation)s)
ON CONFLICT (code) DO UPDATE
SET kind = excluded.kind, name_vi = excluded.name_vi, place = excluded.place, held_on = excluded.held_on,
    people = excluded.people, organisation = excluded.organisation

-- name: note - an entry of the audit log
INSERT INTO audit_entry (at, who, deed, what, detail) VALUES (%(now)s, %(who)s, %(deed)s, %(what)s, %(detail)s)
