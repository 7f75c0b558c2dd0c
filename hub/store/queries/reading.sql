-- `provinces` is an array of codes, or null: all, and what stands in none. What is now is seen by those of the place
-- where a device stands now; a play or a stream by those of the place where the device stood then.

-- name: sites - registered sites with the number of their devices, by province
SELECT code, name_vi, province_vi, province_code, neighbour, gate_type, lat, lon, confidence,
       (SELECT count(*) FROM device_place p WHERE p.site = s.code) AS devices
FROM site_now s
WHERE %(provinces)s::text[] IS NULL OR s.province_code = ANY (%(provinces)s)
ORDER BY province_code, code

-- name: screens - what each screen showed when its device last told, and what that is by the catalogue on that day
-- No verdict while the catalogue is empty: before that everything would be unknown.
SELECT n.device, n.screen, n.player, n.play_id, n.since, n.time, c.content_ref,
       encode(c.content_sha256, 'hex') AS content_sha256, n.status,
       n.listed, n.reported, n.rendering, n.panel, n.frame, v.title_vi,
       CASE WHEN EXISTS (SELECT FROM content_version) THEN r.verdict::text END AS verdict
FROM screen_now n JOIN shown_content c ON c.id = n.content
LEFT JOIN device_place dp ON dp.device = n.device
LEFT JOIN resolved r ON r.content = n.content AND local_day(n.time) BETWEEN r.first_day AND r.last_day
LEFT JOIN content_version v ON v.content = r.code AND v.version = r.version
WHERE (%(device)s::int IS NULL OR n.device = %(device)s)
  AND (%(provinces)s::text[] IS NULL OR dp.province_code = ANY (%(provinces)s))
ORDER BY n.device, n.screen, n.time DESC, n.player

-- name: open_incidents - how many incidents of each kind are open, by device
SELECT i.device, i.kind, count(*) AS open
FROM incident i LEFT JOIN device_place dp ON dp.device = i.device
WHERE i.closed_at IS NULL AND (%(device)s::int IS NULL OR i.device = %(device)s)
  AND (%(provinces)s::text[] IS NULL OR dp.province_code = ANY (%(provinces)s))
GROUP BY 1, 2 ORDER BY 1, 2

-- name: device - the id of a device that stands there now
SELECT d.id FROM device d LEFT JOIN device_place dp ON dp.device = d.id
WHERE d.name = %(name)s AND (%(provinces)s::text[] IS NULL OR dp.province_code = ANY (%(provinces)s))

-- name: device_ever - the id of a device that stands there now or stood there once
SELECT d.id FROM device d
WHERE d.name = %(name)s
  AND (%(provinces)s::text[] IS NULL
       OR EXISTS (SELECT FROM placement p WHERE p.device = d.id AND p.province_code = ANY (%(provinces)s)))

-- name: plays - slices of a device, newest first, below a place in that order
SELECT p.time, p.stream AS stream_id, replace(s.name::text, '-', '') AS stream, p.seq, p.stored_at, p.clock, p.play_id,
       p.slice, p.screen, p.player, c.content_ref, encode(c.content_sha256, 'hex') AS content_sha256, p.duration_ms,
       p.status, p.listed, p.reported, p.rendering, p.panel, p.frame
FROM play p JOIN stream s ON s.id = p.stream JOIN shown_content c ON c.id = p.content
WHERE p.placement = ANY (ARRAY(
          SELECT id FROM placement
          WHERE device = %(device)s AND (%(provinces)s::text[] IS NULL OR province_code = ANY (%(provinces)s))))
  AND (%(time)s::timestamptz IS NULL OR (p.time, p.stream, p.play_id, p.slice)
       < (%(time)s, %(stream)s, %(play_id)s, %(slice)s))
ORDER BY p.time DESC, p.stream DESC, p.play_id DESC, p.slice DESC
LIMIT %(limit)s

-- name: streams - what the ledger holds of each stream of a device
-- As in report.stream: a stream is of the place where its device stood when the hub first heard of it.
SELECT replace(e.name::text, '-', '') AS stream, e.first_seen, e.committed::text, e.lost::text
FROM stream e
WHERE e.device = %(device)s
  AND (%(provinces)s::text[] IS NULL
       OR EXISTS (SELECT FROM stay s
                  WHERE s.device = e.device AND e.first_seen >= s.since AND e.first_seen < s.until
                    AND s.province_code = ANY (%(provinces)s)))
ORDER BY e.first_seen DESC, e.id DESC

-- name: incidents - incidents below one of them, newest first, each of the place where it was first seen
-- As in report.incident: names of people, and what would count acts of visitors, are told where `exact`.
SELECT i.id, i.kind, i.subject, d.name AS device, p.site, s.name_vi AS site_vi, p.province_code, i.opened_at, i.last_at,
       i.times, CASE WHEN %(exact)s OR starts_with(i.kind, 'content') THEN i.detail END AS detail,
       i.acknowledged_at, CASE WHEN %(exact)s THEN i.acknowledged_by END AS acknowledged_by,
       i.closed_at, CASE WHEN %(exact)s THEN i.closed_by END AS closed_by
FROM incident i
JOIN device d ON d.id = i.device
CROSS JOIN LATERAL (
    SELECT site, province_code FROM placement
    WHERE device = i.device AND CASE WHEN i.placement IS NULL THEN since <= i.opened_at ELSE id = i.placement END
    ORDER BY since DESC LIMIT 1
) p
LEFT JOIN site s ON s.code = p.site
WHERE (%(id)s::bigint IS NULL OR i.id = %(id)s)
  AND (%(before)s::bigint IS NULL OR i.id < %(before)s)
  AND (%(kind)s::text IS NULL OR i.kind = %(kind)s)
  AND (%(device)s::text IS NULL OR d.name = %(device)s)
  AND (%(site)s::text IS NULL OR p.site = %(site)s)
  AND CASE %(state)s
      WHEN 'open' THEN i.closed_at IS NULL
      WHEN 'waiting' THEN i.closed_at IS NULL AND i.acknowledged_at IS NULL
      WHEN 'in_hand' THEN i.closed_at IS NULL AND i.acknowledged_at IS NOT NULL
      WHEN 'closed' THEN i.closed_at IS NOT NULL
      ELSE true
  END
  AND (%(provinces)s::text[] IS NULL OR p.province_code = ANY (%(provinces)s))
ORDER BY i.id DESC
LIMIT %(limit)s
