-- name: lock_gate - let nobody change the province of a site's gate meanwhile; no row: no such site
SELECT g.code FROM site s JOIN gate g ON g.code = s.gate WHERE s.code = %(site)s FOR SHARE OF g

-- name: lock_device - keep new streams of a device away while it is moved
SELECT id FROM device WHERE name = %(device)s FOR UPDATE

-- name: lock_streams - lock a device's streams in the order of their ids, as every writer of the ledger does
SELECT id FROM stream WHERE device = %(device)s ORDER BY id FOR NO KEY UPDATE

-- name: lock_devices - the same for many devices by name: all devices first, in one order
SELECT id FROM device WHERE name = ANY (%(devices)s) ORDER BY id FOR UPDATE

-- name: lock_devices_at - the same for every device that stands, stood or will stand at one of these gates
SELECT id FROM device d
WHERE EXISTS (SELECT FROM placement p JOIN site s ON s.code = p.site WHERE p.device = d.id AND s.gate = ANY (%(gates)s))
ORDER BY id FOR UPDATE

-- name: lock_streams_of_all - streams of devices that are locked, in the order of their ids over all of them
SELECT id FROM stream WHERE device = ANY (%(devices)s) ORDER BY id FOR NO KEY UPDATE

-- name: stands - whether a device stands there at that time already; at present, if no time is given
SELECT 1 FROM (
    SELECT p.site, p.province_code FROM placement p
    WHERE p.device = %(device)s AND p.since <= coalesce(%(since)s::timestamptz, %(now)s) ORDER BY p.since DESC LIMIT 1
) AS stood JOIN site s ON s.code = %(site)s AND s.code = stood.site
    AND stood.province_code = gate_province(s.gate, coalesce(%(since)s::timestamptz, %(now)s))

-- name: place_first - a device of which nobody has said where it stands: all that it told belongs to this site
UPDATE placement p SET site = s.code, province_code = gate_province(s.gate, p.since) FROM site s
WHERE s.code = %(site)s AND p.device = %(device)s AND p.site IS NULL
  AND NOT EXISTS (SELECT 1 FROM placement other WHERE other.device = p.device AND other.id <> p.id)
RETURNING p.id

-- name: stands_since - since when a device has stood at the site at which it stands at a moment; null: from the beginning
WITH stay AS (
    SELECT p.since, p.site FROM placement p JOIN device d ON d.id = p.device
    WHERE d.name = %(device)s AND p.since <= %(at)s::timestamptz
), last AS (
    SELECT site FROM stay ORDER BY since DESC LIMIT 1
)
SELECT nullif(min(stay.since), '-infinity') FROM stay
WHERE stay.since > ALL (SELECT other.since FROM stay AS other, last WHERE other.site IS DISTINCT FROM last.site)

-- name: move - a placement from a full hour on; with the one that held before, and the moment up to which it holds
WITH given AS (
    SELECT date_trunc('hour', %(since)s::timestamptz, 'UTC') AS since
), before AS (
    SELECT p.id FROM placement p, given WHERE p.device = %(device)s AND p.since < given.since
    ORDER BY p.since DESC LIMIT 1
), after AS (
    SELECT min(p.since) AS until FROM placement p, given WHERE p.device = %(device)s AND p.since > given.since
), new AS (
    INSERT INTO placement AS p (device, since, site, province_code)
    SELECT %(device)s, given.since, s.code, gate_province(s.gate, given.since)
    FROM given, site s WHERE s.code = %(site)s
    ON CONFLICT (device, since) DO UPDATE SET site = excluded.site, province_code = excluded.province_code
    RETURNING p.id, p.since
)
SELECT new.id, (SELECT id FROM before), new.since::text, coalesce((SELECT until FROM after), 'infinity')::text FROM new

-- name: unsettled - the first moment from a full hour on at which a placement says another province than its gate
-- With the placement, its site, and whether that moment is the placement's own beginning.
WITH stay AS (
    SELECT id, since, lead(since, 1, 'infinity') OVER (ORDER BY since) AS until, site, province_code
    FROM placement WHERE device = %(device)s
), period AS (
    SELECT gate, province_code,
           CASE WHEN lag(since) OVER ordered IS NULL THEN '-infinity' ELSE begin_of(since) END AS begins,
           lead(begin_of(since), 1, 'infinity') OVER ordered AS ends
    FROM gate_period WINDOW ordered AS (PARTITION BY gate ORDER BY since)
)
SELECT stay.id, stay.site, greatest(stay.since, period.begins, %(since)s::timestamptz)::text AS moment,
       stay.since >= greatest(period.begins, %(since)s::timestamptz) AS is_beginning
FROM stay JOIN site s ON s.code = stay.site JOIN period ON period.gate = s.gate
WHERE stay.province_code <> period.province_code
  AND greatest(stay.since, period.begins, %(since)s::timestamptz) < least(stay.until, period.ends)
ORDER BY greatest(stay.since, period.begins, %(since)s::timestamptz) LIMIT 1

-- name: settle_beginning - a placement's province is that of its gate
UPDATE placement p SET province_code = gate_province(s.gate, p.since)
FROM site s WHERE p.id = %(placement)s AND s.code = p.site

-- name: moved - let workers know that the placements which they remember have changed
UPDATE device SET moves = moves + 1 WHERE id = %(device)s

-- name: withdraw_commands - what was asked of a device in another province than that where it stands now
UPDATE device_command k SET outcome = 'withdrawn'
WHERE k.device = %(device)s AND k.outcome IS NULL
  AND k.province_code IS DISTINCT FROM (SELECT province_code FROM device_place WHERE device = %(device)s)

-- name: hand_over_play - rows that are stored already go over to the new placement
UPDATE play SET placement = %(new)s
WHERE placement = %(old)s AND time >= %(since)s::timestamptz AND time < %(until)s::timestamptz

-- name: hand_over_screen - rows that are stored already go over to the new placement
UPDATE screen SET placement = %(new)s
WHERE placement = %(old)s AND time >= %(since)s::timestamptz AND time < %(until)s::timestamptz

-- name: hand_over_interaction - rows that are stored already go over to the new placement
UPDATE interaction SET placement = %(new)s
WHERE placement = %(old)s AND time >= %(since)s::timestamptz AND time < %(until)s::timestamptz

-- name: hand_over_health - rows that are stored already go over to the new placement
UPDATE health SET placement = %(new)s
WHERE placement = %(old)s AND time >= %(since)s::timestamptz AND time < %(until)s::timestamptz

-- name: hand_over_fault - rows that are stored already go over to the new placement
UPDATE fault SET placement = %(new)s
WHERE placement = %(old)s AND time >= %(since)s::timestamptz AND time < %(until)s::timestamptz

-- name: hand_over_lifecycle - rows that are stored already go over to the new placement
UPDATE lifecycle SET placement = %(new)s
WHERE placement = %(old)s AND time >= %(since)s::timestamptz AND time < %(until)s::timestamptz

-- name: hand_over_loss - rows that are stored already go over to the new placement
UPDATE loss SET placement = %(new)s
WHERE placement = %(old)s AND time >= %(since)s::timestamptz AND time < %(until)s::timestamptz

-- name: hand_over_play_hour - counts go with the rows
UPDATE play_hour SET placement = %(new)s
WHERE placement = %(old)s AND bucket >= %(since)s::timestamptz AND bucket < %(until)s::timestamptz

-- name: hand_over_interaction_hour - counts go with the rows
UPDATE interaction_hour SET placement = %(new)s
WHERE placement = %(old)s AND bucket >= %(since)s::timestamptz AND bucket < %(until)s::timestamptz

-- name: hand_over_health_hour - counts go with the rows
UPDATE health_hour SET placement = %(new)s
WHERE placement = %(old)s AND bucket >= %(since)s::timestamptz AND bucket < %(until)s::timestamptz

-- name: hand_over_fault_hour - counts go with the rows
UPDATE fault_hour SET placement = %(new)s
WHERE placement = %(old)s AND bucket >= %(since)s::timestamptz AND bucket < %(until)s::timestamptz

-- name: hand_over_event_hour - counts go with the rows
UPDATE event_hour SET placement = %(new)s
WHERE placement = %(old)s AND bucket >= %(since)s::timestamptz AND bucket < %(until)s::timestamptz

-- name: hand_over_visit_hour - counts go with the rows
UPDATE visit_hour SET placement = %(new)s
WHERE placement = %(old)s AND bucket >= %(since)s::timestamptz AND bucket < %(until)s::timestamptz

-- name: hand_over_visit - a visit is where it began
UPDATE visit SET placement = %(new)s
WHERE placement = %(old)s AND began_at >= %(since)s::timestamptz AND began_at < %(until)s::timestamptz

-- name: hand_over_visit_due - what is due may have acts at both places
INSERT INTO visit_due (placement, session, first_at, last_at)
SELECT %(new)s, session, first_at, last_at FROM visit_due WHERE placement = %(old)s

-- name: hand_over_incident - open incidents of contents go with the counts that show them
-- One that is all of the time that is handed over goes; one that is of both stays, and another one is opened there.
WITH shown AS (
    SELECT i.id, h.bucket >= %(since)s::timestamptz AND h.bucket < %(until)s::timestamptz AS goes,
           min(hub.local_day(h.bucket)) AS first_day, max(hub.local_day(h.bucket)) AS last_day,
           (array_agg(jsonb_build_object('content_sha256', encode(c.content_sha256, 'hex'), 'day', hub.local_day(h.bucket),
                                         'code', r.code, 'version', r.version) ORDER BY h.bucket DESC, c.id))[1] AS detail
    FROM incident i
    JOIN shown_content c ON c.content_ref = i.subject
    JOIN play_hour h ON h.content = c.id AND h.placement = i.placement
        AND h.bucket >= hub.begin_of(i.first_day) AND h.bucket < hub.begin_of(i.last_day + 1)
    JOIN resolved r ON r.content = c.id AND hub.local_day(h.bucket) BETWEEN r.first_day AND r.last_day
        AND i.kind = 'content_' || r.verdict::text
    WHERE i.placement = %(old)s AND i.closed_at IS NULL
    GROUP BY 1, 2
), gone AS (
    UPDATE incident i SET placement = %(new)s FROM shown goes
    WHERE goes.id = i.id AND goes.goes AND NOT EXISTS (SELECT FROM shown stays WHERE stays.id = i.id AND NOT stays.goes)
), left_here AS (
    UPDATE incident i SET first_day = stays.first_day, last_day = stays.last_day, detail = stays.detail
    FROM shown stays JOIN shown goes ON goes.id = stays.id AND goes.goes WHERE stays.id = i.id AND NOT stays.goes
)
INSERT INTO incident AS known (kind, device, subject, placement, first_day, last_day, opened_at, last_at, detail)
SELECT i.kind, i.device, i.subject, %(new)s, goes.first_day, goes.last_day, now(), now(), goes.detail
FROM incident i JOIN shown goes ON goes.id = i.id AND goes.goes JOIN shown stays ON stays.id = i.id AND NOT stays.goes
ORDER BY i.kind, i.subject
ON CONFLICT (kind, device, subject, placement) WHERE closed_at IS NULL
DO UPDATE SET first_day = least(known.first_day, excluded.first_day),
              last_day = greatest(known.last_day, excluded.last_day)

-- name: settle_no_visits - nobody makes facts of visitors' sessions from acts that are just being moved
LOCK TABLE visit IN SHARE ROW EXCLUSIVE MODE
