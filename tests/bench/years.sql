-- Rows of two years, made by the database: %(events)s of them over %(days)s days from %(since)s on.

INSERT INTO shown_content (content_ref, content_sha256)
SELECT format('noi-dung-%%s.mp4', n), sha256(n::text::bytea) FROM generate_series(1, 40) n WHERE %(events)s > 0;

INSERT INTO stream (device, name) SELECT id, gen_random_uuid() FROM device ORDER BY id;

CREATE TEMP TABLE made AS
SELECT row_number() OVER (ORDER BY s.id) - 1 AS number, s.id AS stream, s.device, p.id AS placement
FROM stream s JOIN placement p ON p.device = s.device AND p.site IS NOT NULL;

CREATE TEMP TABLE event AS
SELECT m.device, m.stream, m.placement, n / d.devices + 1 AS seq, hashint8(n) & 1023 AS dice, hashint8(n * 7 + 1) AS more,
       %(since)s::timestamptz + (n * %(days)s / %(events)s) * interval '1 day'
       + (((hashint8(n + 3) & 2147483647)::bigint %% 39600) * interval '1 second') AS time
FROM generate_series(0, %(events)s::bigint - 1) n, (SELECT count(*) AS devices FROM made) d
JOIN made m ON true WHERE m.number = n %% d.devices;

INSERT INTO play (time, seq, stored_at, play_id, device, stream, placement, content, slice, duration_ms, clock, status,
                  panel, frame, listed, reported, rendering, screen, player)
SELECT time, seq, time, seq, device, stream, placement, 1 + abs(more %% 40), CASE WHEN dice %% 2 = 0 THEN 0 ELSE 1 END,
       CASE WHEN dice %% 2 = 0 THEN 0 ELSE 30000 + abs(more %% 270000) END, 'synced',
       CASE WHEN dice %% 2 = 0 THEN 'running' ELSE 'success' END::play_status,
       CASE WHEN dice < 20 THEN 'off' ELSE 'on' END::panel_fact, 'unknown', true, true, dice > 5, 'main', 'mpv'
FROM event WHERE dice < 512;

INSERT INTO interaction (time, device, stream, placement, seq, stored_at, clock, session, action, target, language,
                         duration_ms, rating)
SELECT time, device, stream, placement, seq, time, 'synced', 1 + seq / 10,
       (ARRAY['session_start', 'language', 'page_view', 'page_view', 'page_view', 'media_play', 'feedback',
              'session_end'])[1 + abs(more %% 8)]::interaction_action,
       CASE WHEN more %% 2 = 0 THEN (ARRAY['home', 'map', 'visa', 'customs', 'food', 'hotline'])[1 + abs(more %% 6)] END,
       (ARRAY['vi', 'vi', 'vi', 'en', 'zh', 'lo', 'km'])[1 + abs(more %% 7)], abs(more %% 60000),
       CASE WHEN abs(more %% 8) = 6 THEN 1 + abs(more %% 5) END
FROM event WHERE dice BETWEEN 512 AND 767;

INSERT INTO health (time, device, stream, placement, seq, stored_at, clock, temperature_c, undervoltage, queue_events,
                    queue_oldest_s, rtt_ms)
SELECT time, device, stream, placement, seq, time, 'synced', 45 + more %% 20, dice = 800, 1, 1, 40 + abs(more %% 90)
FROM event WHERE dice BETWEEN 768 AND 960;

INSERT INTO screen (time, device, stream, placement, seq, stored_at, clock, screen, state)
SELECT time, device, stream, placement, seq, time, 'synced', 'main', 'active' FROM event WHERE dice BETWEEN 961 AND 1000;

INSERT INTO fault (time, device, stream, placement, seq, stored_at, clock, code, reason, component)
SELECT time, device, stream, placement, seq, time, 'synced',
       (ARRAY['page_hung', 'player_stuck', 'disk_full'])[1 + abs(more %% 3)], 'x', 'mpv'
FROM event WHERE dice > 1000;

INSERT INTO screen_now (device, screen, player, stream, seq, time, play_id, since, content, status, rendering, panel, frame)
SELECT device, 'main', 'mpv', stream, 1, now(), 1, now(), 1 + number %% 40, 'running', true, 'on', 'unknown' FROM made;

INSERT INTO visit_hour (bucket, placement, language, content, sessions, page_views, duration_ms, feedbacks, feedback_sum)
SELECT date_trunc('hour', time, 'UTC'), placement, language, 0, count(*), 3 * count(*), 60000 * count(*), 0, 0
FROM interaction WHERE action = 'session_start' GROUP BY 1, 2, 3;

UPDATE stream s SET committed = int8multirange(int8range(1, e.seq, '[]'))
FROM (SELECT stream, max(seq) AS seq FROM event GROUP BY 1) e WHERE e.stream = s.id;

DROP TABLE event;
