-- name: lock - one publication at a time
LOCK TABLE published_visitors IN SHARE ROW EXCLUSIVE MODE

-- name: sites - sites whose kiosks told anything in a month of local time, with the province at its end
-- What visitors did is left out of account: which rows are published says nothing of them. Months of which nothing can be
-- true, because a clock was wrong, are those long before the hub heard of its first device.
WITH known AS (
    SELECT greatest(
        (SELECT min(begins.bucket) FROM placement p
         CROSS JOIN LATERAL (SELECT min(bucket) AS bucket FROM event_hour e WHERE e.placement = p.id) begins),
        (SELECT min(first_seen) FROM device) - interval '4 months'
    ) AS since
), month AS (
    SELECT m::date AS month, begin_of(m::date) AS begins, begin_of((m + interval '1 month')::date) AS ends
    FROM known, generate_series(date_trunc('month', local_day(known.since)::timestamp), %(until)s::date::timestamp,
                                interval '1 month') AS m
)
SELECT DISTINCT m.month, p.site, gate_province(s.gate, m.ends - interval '1 microsecond')
FROM month m CROSS JOIN placement p JOIN device d ON d.id = p.device JOIN site s ON s.code = p.site
WHERE d.kind = 'kiosk' AND EXISTS (
    SELECT FROM event_hour e
    WHERE e.placement = p.id AND e.bucket >= m.begins AND e.bucket < m.ends AND e.kind <> 'interaction'
)

-- name: published - cells that are out
SELECT month, site, language FROM published_visitors

-- name: sessions - exact figures of months; the site is '' where nobody has said where the device stands
SELECT m.month, coalesce(p.site, ''), v.language, sum(v.sessions)::bigint
FROM unnest(%(months)s::date[]) AS m (month)
JOIN visit_hour v ON v.bucket >= begin_of(m.month) AND v.bucket < begin_of((m.month + interval '1 month')::date)
JOIN placement p ON p.id = v.placement
GROUP BY 1, 2, 3 HAVING sum(v.sessions) <> 0

-- name: put - a cell, for good
INSERT INTO published_visitors (month, site, language, province_code, sessions, flag, published_at)
VALUES (%(month)s, %(site)s, %(language)s, %(province_code)s, %(sessions)s, %(flag)s, %(now)s)
