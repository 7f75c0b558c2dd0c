-- What the database holds of one device (parameter `device`: its name), read by the oracle without any of the hub's code.
-- Every query gives stream, number and commit moment (Unix ms); then the fields of the kind under the contract's names.

-- name: play
SELECT replace(s.name::text, '-', ''), e.seq, {committed},
       (extract(epoch FROM e.time) * 1000)::bigint AS "time", e.clock::text, e.play_id, e.slice, c.content_ref,
       encode(c.content_sha256, 'hex') AS "content_sha256", e.screen, e.player, e.duration_ms, e.status::text,
       e.listed AS "facts.listed", e.reported AS "facts.reported", e.rendering AS "facts.rendering",
       e.panel::text AS "facts.panel", e.frame::text AS "facts.frame"
FROM play e JOIN device d ON d.id = e.device LEFT JOIN shown_content c ON c.id = e.content LEFT JOIN stream s ON s.id = e.stream WHERE d.name = %(device)s

-- name: screen
SELECT replace(s.name::text, '-', ''), e.seq, {committed},
       (extract(epoch FROM e.time) * 1000)::bigint AS "time", e.clock::text, e.screen, e.state::text, e.brightness,
       e.volume
FROM screen e JOIN device d ON d.id = e.device LEFT JOIN stream s ON s.id = e.stream WHERE d.name = %(device)s

-- name: interaction
SELECT replace(s.name::text, '-', ''), e.seq, {committed},
       (extract(epoch FROM e.time) * 1000)::bigint AS "time", e.clock::text, e.session, e.action::text, e.target,
       e.language, e.duration_ms, e.rating
FROM interaction e JOIN device d ON d.id = e.device LEFT JOIN stream s ON s.id = e.stream WHERE d.name = %(device)s

-- name: health
SELECT replace(s.name::text, '-', ''), e.seq, {committed},
       (extract(epoch FROM e.time) * 1000)::bigint AS "time", e.clock::text, e.temperature_c, e.undervoltage,
       e.storage_errors, e.disk_free_bytes, e.memory_available_bytes, e.uptime_s, e.queue_events, e.queue_oldest_s,
       e.rtt_ms, e.clock_offset_ms, e.signal_dbm, e.bytes_sent, e.bytes_received
FROM health e JOIN device d ON d.id = e.device LEFT JOIN stream s ON s.id = e.stream WHERE d.name = %(device)s

-- name: fault
SELECT replace(s.name::text, '-', ''), e.seq, {committed},
       (extract(epoch FROM e.time) * 1000)::bigint AS "time", e.clock::text, e.code, e.reason, e.component
FROM fault e JOIN device d ON d.id = e.device LEFT JOIN stream s ON s.id = e.stream WHERE d.name = %(device)s

-- name: lifecycle
SELECT replace(s.name::text, '-', ''), e.seq, {committed},
       (extract(epoch FROM e.time) * 1000)::bigint AS "time", e.clock::text, e.action::text, e.detail, e.step_ms
FROM lifecycle e JOIN device d ON d.id = e.device LEFT JOIN stream s ON s.id = e.stream WHERE d.name = %(device)s

-- name: loss
SELECT replace(s.name::text, '-', ''), e.seq, {committed}, replace(e.lost_stream::text, '-', ''), e.ranges::text
FROM loss e JOIN device d ON d.id = e.device LEFT JOIN stream s ON s.id = e.stream WHERE d.name = %(device)s

-- name: rejected
SELECT replace(s.name::text, '-', ''), e.seq, {committed}, e.event
FROM rejected e JOIN device d ON d.id = e.device LEFT JOIN stream s ON s.id = e.stream
WHERE d.name = %(device)s AND e.seq IS NOT NULL

-- name: lost
SELECT replace(s.name::text, '-', ''), s.lost::text
FROM stream s JOIN device d ON d.id = s.device WHERE d.name = %(device)s AND NOT isempty(s.lost)

-- name: rows
SELECT (SELECT count(*) FROM play) + (SELECT count(*) FROM screen) + (SELECT count(*) FROM interaction)
       + (SELECT count(*) FROM health) + (SELECT count(*) FROM fault) + (SELECT count(*) FROM lifecycle)
       + (SELECT count(*) FROM loss) + (SELECT count(*) FROM rejected WHERE seq IS NOT NULL)

-- name: tracks_commits
SELECT current_setting('track_commit_timestamp') = 'on'
