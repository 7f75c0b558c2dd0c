-- What the hub makes of what was shown, read by the demo's judge without any of the hub's code.

-- name: shown
-- Of each content on each device: its verdicts by the local days of its plays, how many plays began, and the stamp of the
-- transaction that stored the first row (Unix ms).
SELECT d.name, c.content_ref, encode(c.content_sha256, 'hex'), array_agg(DISTINCT coalesce(r.verdict::text, 'none')),
       count(*) FILTER (WHERE p.slice = 0),
       (extract(epoch FROM min(p.stored_at)) * 1000)::float8
FROM play p JOIN device d ON d.id = p.device JOIN shown_content c ON c.id = p.content
LEFT JOIN resolved r ON r.content = p.content
    AND (p.time AT TIME ZONE 'Asia/Ho_Chi_Minh')::date BETWEEN r.first_day AND r.last_day
GROUP BY 1, 2, 3

-- name: raised
-- Incidents of contents, but for those that the catalogue has taken back: device, content, what is wrong with it, and the
-- stamp of the transaction that opened the first one (Unix ms).
SELECT d.name, i.subject, substr(i.kind, length('content_') + 1),
       (extract(epoch FROM min(i.opened_at)) * 1000)::float8
FROM incident i JOIN device d ON d.id = i.device
WHERE i.kind LIKE 'content\_%' AND coalesce(i.closed_by, '') NOT SIMILAR TO 'catalogue|content\_%'
GROUP BY 1, 2, 3
