-- name: site_codes - codes of the registered sites
SELECT code FROM site

-- name: put_site - a site as its file says; a row comes back only if something changed, and says whether it is new
INSERT INTO site AS known (code, name_vi, province_vi, province_code, neighbour, gate_type, lat, lon, confidence)
VALUES (%(code)s, %(name_vi)s, %(province_vi)s, %(province_code)s, %(neighbour)s, %(gate_type)s, %(lat)s, %(lon)s,
        %(confidence)s)
ON CONFLICT (code) DO UPDATE
SET name_vi = excluded.name_vi, province_vi = excluded.province_vi, province_code = excluded.province_code,
    neighbour = excluded.neighbour, gate_type = excluded.gate_type, lat = excluded.lat, lon = excluded.lon,
    confidence = excluded.confidence
WHERE (known.name_vi, known.province_vi, known.province_code, known.neighbour, known.gate_type, known.lat, known.lon,
       known.confidence)
      IS DISTINCT FROM (excluded.name_vi, excluded.province_vi, excluded.province_code, excluded.neighbour,
                        excluded.gate_type, excluded.lat, excluded.lon, excluded.confidence)
RETURNING known.xmax = 0 AS added

-- name: put_device - a device as its file says; one that reported before keeps its id. Comes back as put_site does
INSERT INTO device AS known (name, kind, site, title_vi, registered_at)
VALUES (%(name)s, %(kind)s, %(site)s, %(title_vi)s, now())
ON CONFLICT (name) DO UPDATE
SET kind = excluded.kind, site = excluded.site, title_vi = excluded.title_vi,
    registered_at = coalesce(known.registered_at, excluded.registered_at)
WHERE known.registered_at IS NULL
   OR (known.kind, known.site, known.title_vi) IS DISTINCT FROM (excluded.kind, excluded.site, excluded.title_vi)
RETURNING known.xmax = 0 AS added

-- name: sites - registered sites, by province
SELECT code, name_vi, province_vi, province_code, neighbour, gate_type, lat, lon, confidence,
       (SELECT count(*) FROM device d WHERE d.site = s.code) AS devices
FROM site s ORDER BY province_code, code

-- name: devices - all devices, registered or only heard of
SELECT name, kind, site, title_vi, registered_at, first_seen FROM device ORDER BY name
