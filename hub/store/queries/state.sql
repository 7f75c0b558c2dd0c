-- name: screens - what each screen shows now, from slices of streams that are being appended to
INSERT INTO screen_now AS now
    (device, screen, player, stream, seq, time, play_id, since, content, status,
     listed, reported, rendering, panel, frame)
SELECT device, screen, player, stream, seq, to_timestamp(ms / 1000.0), play_id, to_timestamp(ms / 1000.0), content,
       status::play_status, listed, reported, rendering, panel::panel_fact, frame::frame_fact
FROM unnest(%(device)s::int[], %(screen)s::text[], %(player)s::text[], %(stream)s::int[], %(seq)s::bigint[],
            %(time)s::bigint[], %(play_id)s::bigint[], %(content)s::int[],
            %(status)s::text[], %(listed)s::boolean[], %(reported)s::boolean[], %(rendering)s::boolean[],
            %(panel)s::text[], %(frame)s::text[])
     AS new (device, screen, player, stream, seq, ms, play_id, content, status,
             listed, reported, rendering, panel, frame)
ORDER BY device, screen, player
ON CONFLICT (device, screen, player) DO UPDATE
SET stream = excluded.stream, seq = excluded.seq, time = excluded.time, play_id = excluded.play_id,
    since = CASE WHEN now.play_id = excluded.play_id THEN least(now.since, excluded.since) ELSE excluded.since END,
    content = excluded.content, status = excluded.status,
    listed = excluded.listed, reported = excluded.reported, rendering = excluded.rendering,
    panel = excluded.panel, frame = excluded.frame
WHERE now.stream <> excluded.stream OR now.seq < excluded.seq

-- name: devices - when each device last told something of its present
INSERT INTO device_now AS now (device, event_time, stored_at)
SELECT device, to_timestamp(ms / 1000.0), %(stored_at)s
FROM unnest(%(device)s::int[], %(time)s::bigint[]) AS new (device, ms) ORDER BY device
ON CONFLICT (device) DO UPDATE SET event_time = excluded.event_time, stored_at = excluded.stored_at
