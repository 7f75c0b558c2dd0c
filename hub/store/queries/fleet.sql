-- `provinces` is an array of codes, or null: all, and what stands in none. A command is seen by those of
-- the province where the device stood when it was given, and its picture if it stood there when that came, too.

-- name: targets - devices of this name, this province, or all, that stand within these provinces now
SELECT d.id, d.name, dp.site, s.name_vi AS site_vi
FROM device d LEFT JOIN device_place dp ON dp.device = d.id LEFT JOIN site s ON s.code = dp.site
WHERE (%(name)s::text IS NULL OR d.name = %(name)s)
  AND (%(province)s::text IS NULL OR dp.province_code = %(province)s)
  AND (%(provinces)s::text[] IS NULL OR dp.province_code = ANY (%(provinces)s))
ORDER BY d.id

-- name: config - what is wanted of a device; the device is held, so that of two who change it the second sees the first
SELECT c.settings FROM device d LEFT JOIN device_config c ON c.device = d.id WHERE d.id = %(device)s FOR NO KEY UPDATE OF d

-- name: set_config - another configuration, of a revision above all that the device may have
-- One that is a million ahead is no revision that a hub has ever given: nobody is to run out of numbers by it.
INSERT INTO device_config AS known (device, revision, settings, set_at, set_by)
VALUES (%(device)s, 1, %(settings)s, %(now)s, %(by)s)
ON CONFLICT (device) DO UPDATE
SET settings = excluded.settings, set_at = excluded.set_at, set_by = excluded.set_by,
    revision = least(2147483647, 1::bigint + CASE
        WHEN known.reported > known.revision::bigint + 1000000 THEN known.revision
        ELSE greatest(known.revision, known.reported) END)
RETURNING revision

-- name: configs - what is wanted of devices, and what they have
SELECT d.name AS device, dp.site, dp.province_code, c.revision, c.settings, c.set_at, c.set_by, c.reported, c.reported_at,
       c.sent_at, c.sends, c.detail,
       CASE
           WHEN c.reported = c.revision THEN 'in_force'
           WHEN c.refused_revision = c.revision THEN 'refused'
           WHEN c.sent_revision = c.revision THEN 'sent'
           ELSE 'waiting'
       END AS state
FROM device_config c JOIN device d ON d.id = c.device LEFT JOIN device_place dp ON dp.device = c.device
WHERE (%(name)s::text IS NULL OR d.name = %(name)s)
  AND (%(province)s::text IS NULL OR dp.province_code = %(province)s)
  AND (%(provinces)s::text[] IS NULL OR dp.province_code = ANY (%(provinces)s))
ORDER BY d.name

-- name: site_week - opening hours of a device's site, by weekday
SELECT h.weekday, h.opens_min, h.closes_min
FROM device_place dp JOIN site_hours h ON h.site = dp.site
WHERE dp.device = %(device)s ORDER BY h.weekday, h.opens_min

-- name: hello - what a device says is in force; the revision is raised if the device has a later one (a restored hub)
-- One hello is booked by every worker, some moments apart: it counts once.
UPDATE device_config
SET reported = %(reported)s, reported_at = %(now)s,
    hello_at = CASE WHEN hello_at > %(now)s - interval '5 seconds' THEN hello_at ELSE %(now)s END,
    revision = CASE WHEN %(reported)s BETWEEN revision::bigint + 1 AND revision::bigint + 1000000
                    THEN least(%(reported)s::bigint + 1, 2147483647) ELSE revision END
WHERE device = (SELECT id FROM device WHERE name = %(name)s) RETURNING reported = revision

-- name: config_applied - a device has put a revision in force
UPDATE device_config SET reported = %(revision)s, reported_at = %(now)s, detail = %(detail)s
WHERE device = (SELECT id FROM device WHERE name = %(name)s) AND revision >= %(revision)s AND reported <= %(revision)s
RETURNING reported = revision

-- name: config_refused - a device does not take the revision that it is to have; returns whether that is news
UPDATE device_config
SET refused_revision = %(revision)s, refused_at = %(now)s, detail = %(detail)s
WHERE device = (SELECT id FROM device WHERE name = %(name)s) AND revision = %(revision)s
  AND (refused_revision, detail) IS DISTINCT FROM (%(revision)s, %(detail)s)
RETURNING device

-- name: close_config_incidents - the device has what it is to have
UPDATE incident SET closed_at = %(now)s, closed_by = 'config'
WHERE kind IN ('config_refused', 'config_stale') AND closed_at IS NULL
  AND device = (SELECT id FROM device WHERE name = %(name)s)

-- name: take_configs - what is to be sent now, by this worker alone: once at each hello that tells another revision
UPDATE device_config c
SET sent_at = %(now)s, sent_revision = c.revision, sends = CASE WHEN c.sent_revision = c.revision THEN c.sends + 1 ELSE 1 END
FROM (
    SELECT c.device, d.name, p.broker
    FROM device_config c JOIN device d ON d.id = c.device
    CROSS JOIN LATERAL (
        SELECT broker FROM presence WHERE device = c.device AND until IS NULL ORDER BY seen_at DESC LIMIT 1
    ) p
    WHERE c.reported <> c.revision AND p.broker = ANY (%(brokers)s)
      AND (c.sent_revision IS DISTINCT FROM c.revision OR c.sent_at < c.hello_at)
    ORDER BY c.device LIMIT %(most)s FOR UPDATE OF c SKIP LOCKED
) due
WHERE c.device = due.device
RETURNING due.name, due.broker, c.revision, c.settings, c.sends, c.refused_revision = c.revision AS is_refused

-- name: add_command - a command for a device
INSERT INTO device_command (code, device, province_code, name, args, issued_at, issued_by, expires_at, due_at)
VALUES (%(code)s, %(device)s, (SELECT province_code FROM device_place WHERE device = %(device)s), %(name)s, %(args)s,
        %(now)s, %(by)s, %(expires_at)s, %(now)s)

-- name: take_commands - what is to be sent now, by this worker alone; again after 5, 10, 20 ... 300 s, and to a new connection
-- One whose device has gone to another province ends here instead: it was for the place where it stood.
UPDATE device_command k
SET sent_at = CASE WHEN due.has_gone THEN k.sent_at ELSE %(now)s END,
    sends = k.sends + CASE WHEN due.has_gone THEN 0 ELSE 1 END,
    outcome = CASE WHEN due.has_gone THEN 'withdrawn' END,
    due_at = %(now)s + make_interval(secs => least(5 * 2 ^ least(k.sends, 6), 300))
FROM (
    SELECT k.id, d.name AS device, p.broker,
           k.province_code IS DISTINCT FROM (SELECT province_code FROM device_place WHERE device = k.device) AS has_gone
    FROM device_command k JOIN device d ON d.id = k.device
    CROSS JOIN LATERAL (
        SELECT broker, since FROM presence WHERE device = k.device AND until IS NULL ORDER BY seen_at DESC LIMIT 1
    ) p
    WHERE k.outcome IS NULL AND k.expires_at > %(now)s AND p.broker = ANY (%(brokers)s)
      AND (k.due_at <= %(now)s OR k.sent_at < p.since)
    ORDER BY k.id LIMIT %(most)s FOR UPDATE OF k SKIP LOCKED
) due
WHERE k.id = due.id
RETURNING due.device, due.broker, k.code, k.name, k.args, k.issued_at, k.expires_at, due.has_gone

-- name: command_unreadable - one that this hub cannot put into a message
UPDATE device_command SET outcome = 'failed', replied_at = %(now)s, detail = %(detail)s
WHERE code = %(code)s AND outcome IS NULL

-- name: expire_commands - what nobody answered in time
UPDATE device_command SET outcome = CASE WHEN sends > 0 THEN 'unanswered' ELSE 'expired' END
WHERE outcome IS NULL AND expires_at < %(now)s - interval '30 seconds'

-- name: answer_command - what became of a command; nothing if that is known, or it was given to another device
UPDATE device_command SET outcome = %(outcome)s, replied_at = %(now)s, detail = %(detail)s, picture_type = %(picture_type)s,
    picture = %(picture)s
WHERE code = %(code)s AND device = (SELECT id FROM device WHERE name = %(device)s)
  AND (outcome IS NULL OR outcome = 'unanswered' OR outcome = 'withdrawn' AND sends > 0)
RETURNING name

-- name: commands - commands and what became of them, newest first
SELECT k.id, k.code, d.name AS device, k.name, k.issued_at, k.issued_by, k.expires_at, k.sent_at, k.sends, k.outcome,
       k.replied_at, k.detail, k.picture IS NOT NULL AS has_picture
FROM device_command k JOIN device d ON d.id = k.device
WHERE (%(device)s::text IS NULL OR d.name = %(device)s) AND (%(code)s::text IS NULL OR k.code = %(code)s)
  AND (%(provinces)s::text[] IS NULL OR k.province_code = ANY (%(provinces)s))
ORDER BY k.id DESC LIMIT %(most)s

-- name: picture - the picture that a command brought
SELECT k.picture_type, k.picture
FROM device_command k
LEFT JOIN stay s ON s.device = k.device AND k.replied_at >= s.since AND k.replied_at < s.until
WHERE k.code = %(code)s AND k.picture IS NOT NULL
  AND (%(provinces)s::text[] IS NULL
       OR k.province_code = ANY (%(provinces)s) AND s.province_code = ANY (%(provinces)s))

-- name: drop_pictures - those that are old, or have enough newer ones of their device
UPDATE device_command SET picture = NULL, picture_type = NULL
WHERE id IN (
    SELECT id FROM (
        SELECT id, replied_at, row_number() OVER (PARTITION BY device ORDER BY id DESC) AS place
        FROM device_command WHERE picture IS NOT NULL
    ) known
    WHERE place > %(most)s OR replied_at < %(before)s
)

-- name: drop_commands - those of long ago; the audit log keeps who gave them
DELETE FROM device_command WHERE issued_at < %(before)s

-- name: note - an entry of the audit log
INSERT INTO audit_entry (at, who, deed, what, detail) VALUES (%(now)s, %(who)s, %(deed)s, %(what)s, %(detail)s)
