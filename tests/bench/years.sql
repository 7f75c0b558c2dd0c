-- Rows of two years, made by the database: %(events)s of them over %(days)s days from %(since)s on.

-- Forty contents: the catalogue has 36 of them, every seventh ran out half a year ago, four are strangers.
INSERT INTO shown_content (content_ref, content_sha256)
SELECT format('noi-dung-%%s.mp4', n), sha256(n::text::bytea) FROM generate_series(1, 40) n;

INSERT INTO content (code) SELECT format('ND-%%s', n) FROM generate_series(1, 36) n;

INSERT INTO content_version (content, version, title_vi, language, topic, kind, priority, approval_no, approval_body,
                             approval_date, valid_from, valid_until, recorded_at, recorded_by)
SELECT format('ND-%%s', n), 1, format('Nội dung số %%s', n), (ARRAY['vi', 'en', 'zh', 'lo'])[1 + n %% 4],
       (ARRAY['quan_ly_ttdn', 'kinh_te_xa_hoi', 'phong_chong_dich', 'thu_hut_dau_tu', 'hinh_anh_van_hoa'])[1 + n %% 5],
       'video', 'thong_thuong', format('%%s/QĐ-SVHTTDL', n), 'Sở VHTTDL', %(since)s::date, %(since)s::date,
       CASE WHEN n %% 7 = 0 THEN now()::date - 180 END, %(since)s, 'bench'
FROM generate_series(1, 36) n;

INSERT INTO content_ref SELECT format('noi-dung-%%s.mp4', n), format('ND-%%s', n), 1 FROM generate_series(1, 36) n;

INSERT INTO resolved (content, first_day, last_day, verdict, code, version, resolved_at)
SELECT n, '0001-01-01', CASE WHEN n %% 7 = 0 AND n <= 36 THEN now()::date - 180 ELSE '9999-12-31' END,
       CASE WHEN n <= 36 THEN 'approved' ELSE 'unknown' END::play_verdict,
       CASE WHEN n <= 36 THEN format('ND-%%s', n) END, CASE WHEN n <= 36 THEN 1 END, %(since)s
FROM generate_series(1, 40) n;

INSERT INTO resolved (content, first_day, last_day, verdict, code, version, resolved_at)
SELECT n, now()::date - 179, '9999-12-31', 'expired', format('ND-%%s', n), 1, %(since)s FROM generate_series(7, 36, 7) n;

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
SELECT time, seq, time, seq, device, stream, placement, -- a device's list of the month: eight contents of the forty
       1 + (placement * 5 + extract(month FROM time)::integer * 3 + abs(more %% 8)) %% 40, CASE WHEN dice %% 2 = 0 THEN 0 ELSE 1 END,
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
SELECT date_trunc('hour', time, 'UTC'), placement, language, 1 + session %% 40, count(*), 3 * count(*),
       60000 * count(*), 0, 0
FROM interaction WHERE action = 'session_start' GROUP BY 1, 2, 3, 4;

INSERT INTO visit (placement, session, began_at, ended_at, started, duration_ms, main_language, languages, page_views,
                   pages, media_plays, searches, qr_shown, content)
SELECT placement, seq, time, time + interval '1 minute', true, 60000, language, ARRAY[language], 3, ARRAY['home'], 0, 0, 0,
       1 + session %% 40
FROM interaction WHERE action = 'session_start' AND time > now() - interval '30 days';

INSERT INTO published_visitors (month, site, language, province_code, sessions, published_at)
SELECT month, s.site, language, max(s.province_code), 5 * count(*), now()
FROM generate_series(date_trunc('month', %(since)s)::date, now()::date - 40, interval '1 month') month
CROSS JOIN unnest(ARRAY['vi', 'en', 'zh', 'lo']) language
JOIN stay s ON s.site IS NOT NULL GROUP BY 1, 2, 3;

INSERT INTO presence (device, nonce, broker, since, seen_at, until, ended)
SELECT device, format('%%s-%%s', day, part), 'broker', day + part * interval '4 hours', day + part * interval '4 hours 50 minutes',
       day + part * interval '4 hours 50 minutes', 'lost'
FROM made, generate_series(%(since)s, now() - interval '1 day', interval '1 day') day, generate_series(0, 2) part;

INSERT INTO presence (device, nonce, broker, since, seen_at)
SELECT device, 'now', 'broker', now() - interval '1 hour', now() FROM made;

INSERT INTO lifecycle (time, device, stream, placement, seq, stored_at, clock, action, detail)
SELECT day + part * interval '4 hours', device, stream, placement, 0, day, 'synced', 'start', ''
FROM made, generate_series(%(since)s, now() - interval '1 day', interval '1 day') day, generate_series(0, 2) part;

INSERT INTO loss (time, device, stream, placement, seq, stored_at, clock, lost_stream, lost_kind, ranges, reason)
SELECT day, device, stream, placement, 0, day, 'synced', gen_random_uuid(), 'health', '{[1,20)}', 'evicted'
FROM made, generate_series(%(since)s, now() - interval '1 day', interval '30 days') day;

INSERT INTO incident (kind, device, subject, placement, opened_at, last_at, times, detail, closed_at, closed_by)
SELECT 'content_unapproved', device, format('noi-dung-%%s.mp4', 37 + number %% 4), placement, day, day, 1, '{}',
       CASE WHEN day < now() - interval '7 days' THEN day + interval '1 hour' END,
       CASE WHEN day < now() - interval '7 days' THEN 'an' END
FROM made, generate_series(%(since)s, now() - interval '1 day', interval '7 days') day;

INSERT INTO unknown_time (placement, day, begins, ends, reasons)
SELECT placement, day::date, day::date + interval '3 hours', day::date + interval '5 hours', '{silence}'
FROM made, generate_series(%(since)s, now() - interval '1 day', interval '1 day') day
WHERE (number + extract(doy FROM day)::integer) %% 5 = 0;

INSERT INTO plan_item (code, target_kind, target, topic, first_day, last_day, weekdays, hours, unit, least, languages,
                       screens, recorded_at, recorded_by)
SELECT format('KH-%%s', d.name), 'device', d.name, 'quan_ly_ttdn', %(since)s::date, now()::date, '{1,2,3,4,5,6,7}',
       '{7,8,9,10,11,12,13,14,15,16,17}', 'plays_per_hour', 4, '{}', 1, %(since)s, 'bench'
FROM made m JOIN device d ON d.id = m.device;

INSERT INTO plan_result (item, placement, day, hour, result, required, shown, at_most, shown_ms, unknown_ms, languages,
                         judged_at)
SELECT i.code, m.placement, day::date, hour,
       (ARRAY['enough', 'enough', 'enough', 'too_little', 'not_at_all', 'unknown'])
           [1 + (hashint8(m.number * 1000 + hour) & 255 + extract(doy FROM day)::integer) %% 6]::plan_outcome,
       4, 5, 5, 150000, 0, '{}', day
FROM made m JOIN device d ON d.id = m.device JOIN plan_item i ON i.target = d.name
CROSS JOIN generate_series(%(since)s, now() - interval '1 day', interval '1 day') day CROSS JOIN unnest(i.hours) hour;

UPDATE stream s SET committed = int8multirange(int8range(1, e.seq, '[]'))
FROM (SELECT stream, max(seq) AS seq FROM event GROUP BY 1) e WHERE e.stream = s.id;

DROP TABLE event;
