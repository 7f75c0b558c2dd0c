-- name: raise_content - open or count up what is shown and not approved, from what a group of batches says was shown
-- Silent until the catalogue holds something: before that everything would be unknown.
WITH shown AS (
    SELECT given.placement, given.content, min(given.day) AS first_day, max(given.day) AS last_day
    FROM unnest(%(placement)s::int[], %(content)s::int[], %(day)s::date[]) AS given (placement, content, day)
    GROUP BY 1, 2
), bad AS (
    SELECT DISTINCT ON (p.device, c.content_ref, r.verdict, s.placement)
           p.device, s.placement, c.content_ref, r.verdict::text AS verdict,
           jsonb_build_object('content_sha256', encode(c.content_sha256, 'hex'), 'day', greatest(s.first_day, r.first_day),
                              'code', r.code, 'version', r.version) AS detail
    FROM shown s
    JOIN placement p ON p.id = s.placement
    JOIN shown_content c ON c.id = s.content
    JOIN resolved r ON r.content = s.content AND r.first_day <= s.last_day AND r.last_day >= s.first_day
    WHERE r.verdict::text <> 'approved' AND EXISTS (SELECT FROM content_version)
    ORDER BY p.device, c.content_ref, r.verdict, s.placement, s.last_day DESC
)
INSERT INTO incident AS known (kind, device, subject, placement, opened_at, last_at, detail)
SELECT 'content_' || verdict, device, content_ref, placement, %(now)s, %(now)s, detail FROM bad ORDER BY 1, 2, 3, 4
ON CONFLICT (kind, device, subject, placement) WHERE closed_at IS NULL
DO UPDATE SET last_at = excluded.last_at, times = known.times + 1, detail = excluded.detail

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

-- name: close_approved - what the catalogue has approved since: all that was shown of it is good now
UPDATE incident i SET closed_at = %(now)s, closed_by = 'catalogue'
WHERE i.closed_at IS NULL AND i.kind = ANY(%(kinds)s)
  AND NOT EXISTS (
      SELECT FROM shown_content c JOIN play_hour h ON h.content = c.id
      JOIN placement p ON p.id = h.placement AND p.device = i.device
      JOIN resolved r ON r.content = c.id
          AND hub.local_day(h.bucket) BETWEEN r.first_day AND r.last_day
      WHERE c.content_ref = i.subject AND 'content_' || r.verdict::text = i.kind
        AND h.bucket >= date_trunc('hour', i.opened_at, 'UTC') - interval '2 days'
  )
RETURNING id

-- name: list - incidents, open ones first
SELECT i.id, i.kind, d.name AS device, i.subject, s.name_vi AS site, p.province_code, i.opened_at, i.last_at, i.times,
       i.detail, i.acknowledged_at, i.acknowledged_by, i.closed_at, i.closed_by
FROM incident i JOIN device d ON d.id = i.device
LEFT JOIN placement p ON p.id = i.placement LEFT JOIN site s ON s.code = p.site
WHERE (NOT %(open)s OR i.closed_at IS NULL)
ORDER BY i.closed_at IS NOT NULL, i.acknowledged_at IS NOT NULL, i.last_at DESC, i.id DESC LIMIT %(most)s
