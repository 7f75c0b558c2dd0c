-- name: raise_content - open or count up what is shown and not approved, from what a group of batches says was shown
-- Silent until the catalogue holds something: before that everything would be unknown.
WITH bad AS (
    SELECT p.device, p.id AS placement, c.content_ref, r.verdict::text AS verdict, min(given.day) AS first_day,
           max(given.day) AS last_day,
           (array_agg(jsonb_build_object('content_sha256', encode(c.content_sha256, 'hex'), 'day', given.day,
                                         'code', r.code, 'version', r.version) ORDER BY given.day DESC, c.id))[1] AS detail
    FROM unnest(%(placement)s::int[], %(content)s::int[], %(day)s::date[]) AS given (placement, content, day)
    JOIN placement p ON p.id = given.placement
    JOIN shown_content c ON c.id = given.content
    JOIN resolved r ON r.content = given.content AND given.day BETWEEN r.first_day AND r.last_day
    WHERE r.verdict <> 'approved' AND EXISTS (SELECT FROM content_version)
    GROUP BY 1, 2, 3, 4
)
INSERT INTO incident AS known (kind, device, subject, placement, first_day, last_day, opened_at, last_at, detail)
SELECT 'content_' || verdict, device, content_ref, placement, first_day, last_day, %(now)s, %(now)s, detail
FROM bad ORDER BY 1, 2, 3, 4
ON CONFLICT (kind, device, subject, placement) WHERE closed_at IS NULL
DO UPDATE SET last_at = excluded.last_at, times = known.times + 1, detail = excluded.detail,
              first_day = least(known.first_day, excluded.first_day),
              last_day = greatest(known.last_day, excluded.last_day)

-- name: waiting - incidents that nobody has taken in hand, with what was told of them already
SELECT i.id, i.kind, d.name AS device, i.subject, s.name_vi AS site,
       province_vi(p.province_code, local_day(i.opened_at)) AS province, i.opened_at, i.last_at,
       i.times, i.detail,
       coalesce((SELECT jsonb_agg(jsonb_build_object('after_s', n.after_s, 'channel', n.channel, 'target', n.target,
                                                     'sent', n.sent_at IS NOT NULL, 'tries', n.tries,
                                                     'tried_ms', extract(epoch FROM n.tried_at) * 1000))
                 FROM notice n WHERE n.incident = i.id), '[]') AS notices
FROM incident i JOIN device d ON d.id = i.device
LEFT JOIN placement p ON p.id = i.placement
LEFT JOIN site s ON s.code = p.site
WHERE i.closed_at IS NULL AND i.acknowledged_at IS NULL AND i.kind = ANY(%(kinds)s)
ORDER BY i.opened_at, i.id LIMIT %(most)s

-- name: tried - a step of an escalation was tried
INSERT INTO notice AS known (incident, after_s, channel, target, tries, tried_at, sent_at, error)
VALUES (%(incident)s, %(after_s)s, %(channel)s, %(target)s, 1, %(now)s, CASE WHEN %(error)s::text IS NULL THEN %(now)s END,
        %(error)s)
ON CONFLICT (incident, after_s, channel, target) DO UPDATE
SET tries = known.tries + 1, tried_at = excluded.tried_at, sent_at = excluded.sent_at, error = excluded.error

-- name: lock - an incident within these provinces, by the place where it was first seen, held until the transaction ends
SELECT i.kind, d.name, i.acknowledged_by, i.closed_at IS NOT NULL, i.closed_by
FROM incident i JOIN device d ON d.id = i.device
WHERE i.id = %(id)s
  AND (%(provinces)s::text[] IS NULL OR (
      SELECT p.province_code FROM placement p
      WHERE p.device = i.device AND CASE WHEN i.placement IS NULL THEN p.since <= i.opened_at ELSE p.id = i.placement END
      ORDER BY p.since DESC LIMIT 1
  ) = ANY (%(provinces)s))
FOR UPDATE OF i

-- name: acknowledge - a person takes an open incident in hand
UPDATE incident SET acknowledged_at = %(now)s, acknowledged_by = %(by)s WHERE id = %(id)s

-- name: close - an open incident is over
UPDATE incident SET closed_at = %(now)s, closed_by = %(by)s WHERE id = %(id)s

-- name: note - an entry of the audit log
INSERT INTO audit_entry (at, who, deed, what, detail) VALUES (%(now)s, %(who)s, %(deed)s, %(what)s, %(detail)s)

-- name: open_changed - what a change of the catalogue has made bad in another way, of what open incidents speak of
-- Returns these incidents, each with the kinds of those that are open for it now.
WITH became AS (
    SELECT i.id, i.device, i.subject, i.placement, 'content_' || n.new_verdict::text AS kind, hub.local_day(h.bucket) AS day,
           c.content_sha256, n.new_code, n.new_version
    FROM resolution_change n
    JOIN shown_content c ON c.id = n.content
    JOIN incident i ON i.subject = c.content_ref AND i.kind = 'content_' || n.old_verdict::text AND i.closed_at IS NULL
    JOIN play_hour h ON h.placement = i.placement AND h.content = c.id
        AND h.bucket >= hub.begin_of(greatest(i.first_day, n.first_day))
        AND h.bucket < hub.begin_of(least(i.last_day, n.last_day) + 1)
    WHERE n.change = %(change)s AND n.new_verdict NOT IN ('approved', n.old_verdict)
), opened AS (
    INSERT INTO incident AS known (kind, device, subject, placement, first_day, last_day, opened_at, last_at, detail)
    SELECT kind, device, subject, placement, min(day), max(day), %(now)s, %(now)s,
           (array_agg(jsonb_build_object('content_sha256', encode(content_sha256, 'hex'), 'day', day, 'code', new_code,
                                         'version', new_version) ORDER BY day DESC, content_sha256))[1]
    FROM became GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
    ON CONFLICT (kind, device, subject, placement) WHERE closed_at IS NULL
    DO UPDATE SET first_day = least(known.first_day, excluded.first_day),
                  last_day = greatest(known.last_day, excluded.last_day)
)
SELECT id, string_agg(DISTINCT kind, ', ') FROM became GROUP BY id

-- name: close_changed - what a change of the catalogue speaks of and nothing is bad of any more, or only in another way
UPDATE incident i
SET closed_at = %(now)s,
    closed_by = coalesce((SELECT kinds FROM unnest(%(ids)s::bigint[], %(kinds)s::text[]) AS became (id, kinds)
                          WHERE became.id = i.id), 'catalogue')
WHERE i.closed_at IS NULL AND i.first_day IS NOT NULL
  AND EXISTS (
      SELECT FROM resolution_change n JOIN shown_content c ON c.id = n.content
      WHERE n.change = %(change)s AND c.content_ref = i.subject AND i.kind = 'content_' || n.old_verdict::text
  )
  AND NOT EXISTS (
      SELECT FROM shown_content c
      JOIN play_hour h ON h.content = c.id AND h.placement = i.placement
          AND h.bucket >= hub.begin_of(i.first_day) AND h.bucket < hub.begin_of(i.last_day + 1)
      JOIN resolved r ON r.content = c.id AND hub.local_day(h.bucket) BETWEEN r.first_day AND r.last_day
      WHERE c.content_ref = i.subject AND i.kind = 'content_' || r.verdict::text
  )

-- name: list - incidents, open ones first
SELECT i.id, i.kind, d.name AS device, i.subject, s.name_vi AS site, p.province_code, i.opened_at, i.last_at, i.times,
       i.detail, i.acknowledged_at, i.acknowledged_by, i.closed_at, i.closed_by
FROM incident i JOIN device d ON d.id = i.device
LEFT JOIN placement p ON p.id = i.placement LEFT JOIN site s ON s.code = p.site
WHERE (NOT %(open)s OR i.closed_at IS NULL)
ORDER BY i.closed_at IS NOT NULL, i.acknowledged_at IS NOT NULL, i.last_at DESC, i.id DESC LIMIT %(most)s
