-- What a hub with migration 0001 alone could hold: two devices, one of them unregistered.
SET search_path = hub;
INSERT INTO site (code, name_vi, province_vi, province_code, neighbour, gate_type)
VALUES ('BG-20-CMA', 'Chi Ma', 'Lạng Sơn', '20', 'CN', 'chinh');
INSERT INTO device (name, kind, site, registered_at)
VALUES ('k1', 'kiosk', 'BG-20-CMA', now()), ('k2', NULL, NULL, NULL);
INSERT INTO stream (device, name, committed)
VALUES (1, gen_random_uuid(), '{[1,5)}'), (2, gen_random_uuid(), '{[1,2)}');
INSERT INTO play (time, device, stream, seq, stored_at, clock, play_id, slice, screen, player, content_ref,
                  content_sha256, duration_ms, status, rendering, panel, frame)
VALUES ('2026-09-01 10:59Z', 1, 1, 1, now(), 'synced', 5, 0, 'main', 'mpv', 'a.mp4', '\xab', 0, 'running', true, 'on',
        'match'),
       ('2026-09-01 11:01Z', 1, 1, 2, now(), 'synced', 5, 1, 'main', 'mpv', 'a.mp4', '\xab', 90000, 'success', true,
        'on', 'unknown'),
       ('2026-09-01 11:02Z', 2, 2, 1, now(), 'synced', 6, 0, 'main', 'mpv', 'a.mp4', NULL, 0, 'running', NULL,
        'unknown', 'unknown');
INSERT INTO health (time, device, stream, seq, stored_at, clock, temperature_c)
VALUES (now(), 1, 1, 3, now(), 'synced', 47.7);
INSERT INTO fault (time, device, stream, seq, stored_at, clock, code, reason)
VALUES (now(), 1, 1, 4, now(), 'synced', 'disk_full', '');
INSERT INTO screen_now (device, screen, player, stream, seq, time, play_id, since, content_ref, content_sha256, status,
                        panel, frame)
VALUES (1, 'main', 'mpv', 1, 2, now(), 5, now(), 'a.mp4', '\xab', 'success', 'on', 'unknown');
