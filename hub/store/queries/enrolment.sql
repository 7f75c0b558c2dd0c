-- name: device - a device that may get a code; held until the transaction ends
SELECT id, registered_at IS NOT NULL AS is_registered FROM device WHERE name = %(device)s FOR NO KEY UPDATE

-- name: device_names - all of them, so that a new one gets a name that was never given
SELECT name FROM device

-- name: withdraw_codes - codes of a device that nobody has used
UPDATE enrol_code SET withdrawn_at = %(now)s
WHERE device = %(device)s AND used_at IS NULL AND withdrawn_at IS NULL

-- name: put_code - a new code
INSERT INTO enrol_code (sha256, device, issued_at, expires_at)
VALUES (%(sha256)s, %(device)s, %(now)s, %(expires_at)s)

-- name: hold_device_of_code - before anything of it is read: a revocation of the device comes wholly before or after
SELECT d.id FROM enrol_code c JOIN device d ON d.id = c.device WHERE c.sha256 = %(sha256)s FOR NO KEY UPDATE OF d

-- name: hold_device_of_certificate - the same
SELECT d.id FROM certificate c JOIN device d ON d.id = c.device WHERE c.serial = %(serial)s FOR NO KEY UPDATE OF d

-- name: find_code - a code by its hash, held until the transaction ends
SELECT c.device, d.name, c.expires_at, c.withdrawn_at, c.used_at, c.spki_sha256, k.pem, k.revoked_at
FROM enrol_code c JOIN device d ON d.id = c.device LEFT JOIN certificate k ON k.serial = c.serial
WHERE c.sha256 = %(sha256)s FOR UPDATE OF c

-- name: use_code - a key has it now
UPDATE enrol_code SET used_at = %(now)s, spki_sha256 = %(spki_sha256)s, serial = %(serial)s WHERE sha256 = %(sha256)s

-- name: put_certificate - what was issued
INSERT INTO certificate (serial, device, spki_sha256, not_before, not_after, issued_at, renews, pem)
VALUES (%(serial)s, %(device)s, %(spki_sha256)s, %(not_before)s, %(not_after)s, %(now)s, %(renews)s, %(pem)s)

-- name: unbar - a device that was enrolled again is heard again
DELETE FROM barred_device WHERE device = %(device)s

-- name: close_revoked - that it came in although it was revoked is over
UPDATE incident SET closed_at = %(now)s, closed_by = 'enrolment'
WHERE kind = 'revoked_device' AND closed_at IS NULL AND device = %(device)s

-- name: find_certificate - one that we have issued, held until the transaction ends
SELECT c.device, d.name, c.spki_sha256, c.revoked_at
FROM certificate c JOIN device d ON d.id = c.device WHERE c.serial = %(serial)s FOR UPDATE OF c

-- name: find_renewals - the certificates that keys have got already for another one
SELECT spki_sha256, pem, revoked_at FROM certificate WHERE renews = %(renews)s

-- name: note - an entry of the audit log
INSERT INTO audit_entry (at, who, deed, what, detail) VALUES (%(now)s, %(who)s, %(deed)s, %(what)s, %(detail)s)

-- name: revoke - every certificate of a device that is still good
UPDATE certificate SET revoked_at = %(now)s, reason = %(reason)s
WHERE device = %(device)s AND revoked_at IS NULL RETURNING serial

-- name: bar - a device is heard no longer
INSERT INTO barred_device (device, since, reason) VALUES (%(device)s, %(now)s, %(reason)s)
ON CONFLICT (device) DO NOTHING

-- name: revoked - certificates for the revocation list; those that have long expired need not be named
SELECT serial, revoked_at FROM certificate
WHERE revoked_at IS NOT NULL AND not_after > %(now)s - interval '7 days' ORDER BY serial

-- name: to_cut_off - devices whose sessions may still be open with a revoked certificate
SELECT DISTINCT d.name FROM certificate c JOIN device d ON d.id = c.device
WHERE c.revoked_at IS NOT NULL AND c.cut_off_at IS NULL ORDER BY d.name

-- name: cut_off - they are closed
UPDATE certificate c SET cut_off_at = %(now)s FROM device d
WHERE d.id = c.device AND d.name = ANY(%(devices)s) AND c.revoked_at <= %(before)s AND c.cut_off_at IS NULL

-- name: barred - devices that are not heard
SELECT d.name, b.since FROM barred_device b JOIN device d ON d.id = b.device

-- name: list - every device with its newest certificate, its open code, and when it was last heard
SELECT d.name, d.kind, p.site, p.province_code, d.title_vi, d.registered_at,
       c.serial, c.not_after, c.issued_at, c.revoked_at, c.renews IS NOT NULL AS is_renewal,
       (SELECT count(*) FROM certificate x WHERE x.device = d.id) AS certificates,
       o.issued_at AS code_issued_at, o.expires_at AS code_expires_at,
       b.since AS barred_since, b.reason AS barred_reason,
       (SELECT max(seen_at) FROM presence s WHERE s.device = d.id) AS seen_at
FROM device d
JOIN device_place p ON p.device = d.id
LEFT JOIN LATERAL (SELECT * FROM certificate x WHERE x.device = d.id ORDER BY issued_at DESC, serial LIMIT 1) c ON true
LEFT JOIN LATERAL (SELECT * FROM enrol_code x WHERE x.device = d.id AND used_at IS NULL AND withdrawn_at IS NULL
                   AND expires_at > %(now)s ORDER BY issued_at DESC LIMIT 1) o ON true
LEFT JOIN barred_device b ON b.device = d.id
WHERE %(device)s::text IS NULL OR d.name = %(device)s
ORDER BY d.name

-- name: certificates - all certificates of a device, newest first
SELECT c.serial, c.issued_at, c.not_after, c.renews, c.revoked_at, c.reason, c.cut_off_at
FROM certificate c JOIN device d ON d.id = c.device WHERE d.name = %(device)s ORDER BY c.issued_at DESC, c.serial
