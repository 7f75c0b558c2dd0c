-- name: list - what is kept as bytes because nobody here could read it, oldest first
SELECT r.id, d.name AS device, replace(s.name::text, '-', '') AS stream, r.seq, r.reason, r.event, r.stored_at, r.times
FROM rejected r JOIN device d ON d.id = r.device LEFT JOIN stream s ON s.id = r.stream
WHERE %(device)s::text IS NULL OR d.name = %(device)s
ORDER BY d.name, r.stream, r.seq, r.id

-- name: lock - lock streams in the order of their ids, as every writer of the ledger does
SELECT id FROM stream WHERE id = ANY(%(ids)s) ORDER BY id FOR NO KEY UPDATE

-- name: take - remove kept bytes that are about to become rows; only those that are still there come back
DELETE FROM rejected WHERE id = ANY(%(ids)s) RETURNING id

-- name: declare - what a loss event declares, but for what is committed. Returns how many ranges are held then
UPDATE stream s SET lost = (s.lost + given.lost) - s.committed
FROM (SELECT id, numbers::int8multirange AS lost FROM unnest(%(ids)s::int[], %(lost)s::text[]) AS g (id, numbers)) AS given
WHERE s.id = given.id
RETURNING (SELECT count(*) FROM unnest(s.committed)) + (SELECT count(*) FROM unnest(s.lost))
