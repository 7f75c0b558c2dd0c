-- name: devices - every device, where it stands, and whether it is there: online, offline or unknown
-- Online: an open connection, heard lately on a broker that a live worker listens on. Unknown: never heard; or nobody
-- listens on the broker where it was heard last; or somebody does again, but not yet for long enough to call it silent.
-- The view report.device says the same by the database's clock.
WITH link AS (
    SELECT broker, min(since) AS since FROM hub_link
    WHERE until IS NULL AND seen_at >= %(now)s - make_interval(secs => %(link_timeout_s)s)
    GROUP BY broker
)
SELECT d.id, d.name, d.registered_at IS NOT NULL AS registered, d.kind, d.title_vi, d.first_seen,
       dp.site, s.name_vi AS site_vi, dp.province_code, s.province_vi, s.gate_type,
       coalesce(p.presence, 'unknown') AS presence, p.since AS presence_since, p.seen_at, p.broker,
       n.version, n.queue_events, n.queue_oldest_s, n.queue_full, n.queue_refused,
       n.event_time AS last_event_at, n.stored_at AS last_stored_at
FROM device d
LEFT JOIN device_place dp ON dp.device = d.id
LEFT JOIN site_now s ON s.code = dp.site
LEFT JOIN device_now n ON n.device = d.id
LEFT JOIN LATERAL (
    SELECT c.broker, c.since, c.seen_at,
           CASE
               WHEN l.broker IS NULL THEN 'unknown'
               WHEN c.until IS NULL AND c.seen_at >= %(now)s - make_interval(secs => %(alive_timeout_s)s) THEN 'online'
               WHEN c.seen_at < l.since AND l.since > %(now)s - make_interval(secs => %(alive_timeout_s)s) THEN 'unknown'
               ELSE 'offline'
           END AS presence
    FROM (
        (SELECT broker, since, seen_at, until FROM presence WHERE device = d.id AND until IS NULL)
        UNION ALL
        (SELECT broker, since, seen_at, until FROM presence WHERE device = d.id ORDER BY since DESC LIMIT 1)
    ) c LEFT JOIN link l ON l.broker = c.broker
    ORDER BY (l.broker IS NOT NULL AND c.until IS NULL
              AND c.seen_at >= %(now)s - make_interval(secs => %(alive_timeout_s)s)) DESC, c.seen_at DESC
    LIMIT 1
) p ON true
WHERE (%(name)s::text IS NULL OR d.name = %(name)s)
  AND (%(provinces)s::text[] IS NULL OR dp.province_code = ANY (%(provinces)s))
ORDER BY dp.province_code NULLS LAST, s.code, d.name

-- name: live_brokers - brokers that a live worker listens on
SELECT DISTINCT broker FROM hub_link
WHERE until IS NULL AND seen_at >= %(now)s - make_interval(secs => %(link_timeout_s)s) ORDER BY broker
