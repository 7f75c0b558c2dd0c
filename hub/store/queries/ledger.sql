-- name: ensure_devices - rows for devices that are heard of for the first time
INSERT INTO device (name) SELECT unnest(%(names)s::text[]) ON CONFLICT (name) DO NOTHING

-- name: device_ids - devices by name: id, how often each has moved, and its placements from the first on, since Unix ms
SELECT d.name, d.id, d.moves,
       array_agg(CASE WHEN p.since = '-infinity' THEN 0 ELSE ceil(extract(epoch FROM p.since) * 1000) END::bigint
                 ORDER BY p.since),
       array_agg(p.id ORDER BY p.since)
FROM device d JOIN placement p ON p.device = d.id
WHERE d.name = ANY(%(names)s) GROUP BY d.id

-- name: ensure_streams - rows for streams that are heard of for the first time
INSERT INTO stream (device, name)
SELECT * FROM unnest(%(devices)s::int[], %(names)s::uuid[]) ON CONFLICT (device, name) DO NOTHING

-- name: stream_ids - ids of streams by device and name
SELECT s.device, s.name, s.id
FROM stream s JOIN unnest(%(devices)s::int[], %(names)s::uuid[]) AS wanted (device, name) USING (device, name)

-- name: lock - lock streams in the order of their ids; what does not come back is not there any more
SELECT s.id, d.name, s.name FROM stream s JOIN device d ON d.id = s.device
WHERE s.id = ANY(%(ids)s::int[]) ORDER BY s.id FOR NO KEY UPDATE OF s

-- name: accounts - what is held of locked streams within the spans that matter, and how often their devices have moved
-- Not asked by `lock`: that statement may have begun before the move whose end it waited for.
SELECT s.id, d.moves,
       (s.committed * int8multirange(int8range(w.low, w.high, '[]')))::text,
       (s.lost * int8multirange(int8range(w.low, w.high, '[]')))::text
FROM stream s JOIN unnest(%(ids)s::int[], %(lows)s::bigint[], %(highs)s::bigint[]) AS w (id, low, high) USING (id)
JOIN device d ON d.id = s.device

-- name: book - add to the accounts of locked streams; stored beats declared. Returns their size in bytes
UPDATE stream s
SET committed = s.committed + a.committed,
    lost = (s.lost + a.lost) - (s.committed + a.committed)
FROM (SELECT id, c::int8multirange AS committed, l::int8multirange AS lost
      FROM unnest(%(ids)s::int[], %(committed)s::text[], %(lost)s::text[]) AS given (id, c, l)) AS a
WHERE s.id = a.id
RETURNING s.id, pg_column_size(s.committed) + pg_column_size(s.lost)

-- name: ragged - one of these streams that has more ranges than the ledger keeps
SELECT s.id FROM stream s
WHERE s.id = ANY(%(ids)s)
  AND (SELECT count(*) FROM unnest(s.committed)) + (SELECT count(*) FROM unnest(s.lost)) > %(most)s
LIMIT 1

-- name: reject_numbered - keep the bytes of an event whose number is committed and whose content is not understood
INSERT INTO rejected (device, stream, seq, sha256, reason, event, stored_at)
VALUES (%(device)s, %(stream)s, %(seq)s, %(sha256)s, %(reason)s, %(event)s, %(now)s)

-- name: reject_unnumbered - keep bytes that came alone and could not be read at all, up to a number per device
INSERT INTO rejected (device, sha256, reason, event, stored_at)
SELECT d.id, %(sha256)s, %(reason)s, %(event)s, %(now)s FROM device d
WHERE d.name = %(device)s
  AND (SELECT count(*) FROM rejected r WHERE r.device = d.id AND r.seq IS NULL) < %(most)s
ON CONFLICT (device, sha256) WHERE seq IS NULL DO UPDATE SET times = rejected.times + 1

-- name: whole_account - everything held of one stream, for a hello
SELECT s.id, s.committed::text, s.lost::text FROM stream s JOIN device d ON d.id = s.device
WHERE d.name = %(device)s AND s.name = %(stream)s::uuid

-- name: raise_incident - one open incident a kind and device; later ones count up
INSERT INTO incident (kind, device, placement, opened_at, last_at, detail)
SELECT %(kind)s, d.id, p.placement, %(now)s, %(now)s, %(detail)s
FROM device d LEFT JOIN device_place p ON p.device = d.id WHERE d.name = %(device)s
ON CONFLICT (kind, device, subject, placement) WHERE closed_at IS NULL
DO UPDATE SET last_at = excluded.last_at, times = incident.times + 1,
    -- What a device can say without end is not kept without end.
    detail = CASE WHEN length(incident.detail::text) > 8000 THEN incident.detail ELSE incident.detail || excluded.detail END
