-- name: targets - registered devices: of these names, in this province, in this group, or all; with the version that runs
SELECT d.id, d.name, n.version
FROM device d
LEFT JOIN device_place p ON p.device = d.id
LEFT JOIN device_now n ON n.device = d.id
WHERE d.registered_at IS NOT NULL AND (
    %(all)s OR d.name = ANY (%(names)s::text[]) OR p.province_code = %(province)s
    OR EXISTS (SELECT FROM device_group_member m WHERE m.device = d.id AND m.device_group = %(group)s))
ORDER BY d.name

-- name: busy - devices that another roll-out has in hand
SELECT d.name, r.id
FROM rollout_device e
JOIN rollout r ON r.id = e.rollout
JOIN device d ON d.id = e.device
WHERE r.state IN ('running', 'halted') AND e.fate IS NULL AND e.device = ANY (%(devices)s::int[])
ORDER BY 1 LIMIT 1

-- name: alone - of two who start roll-outs at once the second sees the first
LOCK TABLE rollout IN SHARE ROW EXCLUSIVE MODE

-- name: start - a roll-out
INSERT INTO rollout (version, packages, steps, soak_s, halt_failures, started_at, started_by, changed_at)
VALUES (%(version)s, %(packages)s, %(steps)s, %(soak_s)s, %(halt_failures)s, %(now)s, %(by)s, %(now)s)
RETURNING id

-- name: add_device - one of its devices; one that has the version already has nothing to do
INSERT INTO rollout_device (rollout, device, wave, fate, detail, ended_at)
VALUES (%(rollout)s, %(device)s, %(wave)s, CASE WHEN %(has)s THEN 'applied' END, CASE WHEN %(has)s THEN 'ran already' ELSE '' END,
        CASE WHEN %(has)s THEN %(now)s END)

-- name: running - roll-outs that go on by themselves, held until the transaction ends
SELECT id, version, packages, steps, wave, soak_s, halt_failures FROM rollout WHERE state = 'running' ORDER BY id FOR UPDATE

-- name: one - a roll-out, held until the transaction ends
SELECT version, state FROM rollout WHERE id = %(id)s FOR UPDATE

-- name: told - what devices of a roll-out have said of its version since they were told of it
-- By when it came: the time of an event is the device's.
SELECT DISTINCT ON (e.device) e.device, l.detail, l.stored_at
FROM rollout_device e
JOIN rollout r ON r.id = e.rollout
JOIN placement p ON p.device = e.device
JOIN lifecycle l ON l.placement = p.id AND l.action = 'update' AND l.stored_at >= e.ordered_at
WHERE e.rollout = %(rollout)s AND e.fate IS NULL AND e.ordered_at IS NOT NULL
  AND l.detail LIKE ANY (SELECT f || ' ' || r.version || ' (%%' FROM unnest(ARRAY['applied', 'went\_back', 'refused', 'failed']) f)
ORDER BY e.device, l.stored_at, l.seq

-- name: runs_it - devices that have the version from a stick: not told yet, or they do not take the command for it
-- What has taken the command may be trying the version, and tells how that ends.
UPDATE rollout_device e SET fate = 'applied', detail = 'runs it', ended_at = %(now)s
FROM rollout r, device_now n
WHERE e.rollout = %(rollout)s AND r.id = e.rollout AND n.device = e.device AND n.version = r.version AND e.fate IS NULL
  AND (e.ordered_at IS NULL OR e.code = ANY (%(not_taken)s::text[]))

-- name: ended - how it ended on a device
UPDATE rollout_device SET fate = %(fate)s, detail = %(detail)s, ended_at = %(at)s
WHERE rollout = %(rollout)s AND device = %(device)s AND fate IS NULL

-- name: members - devices of a roll-out
SELECT e.device AS id, d.name AS device, e.wave, e.code, e.ordered_at, e.fate, e.detail, e.ended_at,
       EXISTS (SELECT FROM presence s WHERE s.device = e.device AND s.until IS NULL) AS online
FROM rollout_device e JOIN device d ON d.id = e.device
WHERE e.rollout = %(rollout)s ORDER BY e.wave, d.name

-- name: ordered - a device was told
UPDATE rollout_device SET code = %(code)s, ordered_at = %(now)s WHERE rollout = %(rollout)s AND device = %(device)s

-- name: withdraw - what devices of a roll-out were told and have not answered is sent no longer
UPDATE device_command k SET outcome = 'withdrawn'
FROM rollout_device e WHERE e.rollout = %(rollout)s AND k.code = e.code AND k.outcome IS NULL

-- name: never_told - devices whose command had not gone out yet were not told
UPDATE rollout_device e SET code = NULL, ordered_at = NULL
FROM device_command k
WHERE e.rollout = %(rollout)s AND e.fate IS NULL AND k.code = e.code AND k.outcome = 'withdrawn' AND k.sends = 0

-- name: try_again - devices on which it did not work are due once more
UPDATE rollout_device SET fate = NULL, ended_at = NULL, code = NULL, ordered_at = NULL
WHERE rollout = %(rollout)s AND fate <> 'applied'

-- name: change - another state or wave
UPDATE rollout SET state = %(state)s, reason = %(reason)s, wave = %(wave)s, changed_at = %(now)s
WHERE id = %(id)s AND (state, reason, wave) IS DISTINCT FROM (%(state)s, %(reason)s, %(wave)s)

-- name: set_state - by a person
UPDATE rollout SET state = %(state)s, reason = %(reason)s, changed_at = %(now)s WHERE id = %(id)s

-- name: list - roll-outs, newest first
SELECT r.id, r.version, r.steps, r.wave, r.state, r.reason, r.soak_s, r.halt_failures, r.started_at, r.started_by,
       r.changed_at, count(*) AS devices, count(*) FILTER (WHERE e.fate = 'applied') AS applied,
       count(*) FILTER (WHERE e.fate <> 'applied') AS failed,
       count(*) FILTER (WHERE e.fate IS NULL AND e.ordered_at IS NOT NULL) AS under_way
FROM rollout r JOIN rollout_device e ON e.rollout = r.id
WHERE %(id)s::int IS NULL OR r.id = %(id)s
GROUP BY r.id ORDER BY r.id DESC LIMIT 100

-- name: raise_halted - one incident a roll-out that has halted by itself, of the device on which it failed last
INSERT INTO incident AS known (kind, device, placement, opened_at, last_at, detail)
SELECT %(kind)s, e.device, p.placement, %(now)s, %(now)s, %(detail)s
FROM rollout_device e LEFT JOIN device_place p ON p.device = e.device
WHERE e.rollout = %(rollout)s AND e.fate <> 'applied'
ORDER BY e.ended_at DESC, e.device LIMIT 1
ON CONFLICT (kind, device, subject, placement) WHERE closed_at IS NULL
DO UPDATE SET last_at = excluded.last_at, times = known.times + 1, detail = excluded.detail

-- name: close_halted - somebody has said how it goes on
UPDATE incident SET closed_at = %(now)s, closed_by = 'rollout'
WHERE kind = %(kind)s AND (detail ->> 'rollout')::int = %(rollout)s AND closed_at IS NULL

-- name: note - an entry of the audit log
INSERT INTO audit_entry (at, who, deed, what, detail) VALUES (%(now)s, %(who)s, %(deed)s, %(what)s, %(detail)s)

-- name: answers - what became of commands
SELECT code, outcome, detail FROM device_command WHERE code = ANY (%(codes)s::text[])
