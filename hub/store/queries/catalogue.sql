-- name: put_topic - a subject as its file says; a row comes back only if something changed, and says whether it is new
INSERT INTO topic AS known (code, valid_from, valid_until, label_vi, letter, section)
VALUES (%(code)s, %(valid_from)s, %(valid_until)s, %(label_vi)s, %(letter)s, %(section)s)
ON CONFLICT (code, valid_from) DO UPDATE
SET valid_until = excluded.valid_until, label_vi = excluded.label_vi, letter = excluded.letter, section = excluded.section
WHERE (known.valid_until, known.label_vi, known.letter, known.section)
      IS DISTINCT FROM (excluded.valid_until, excluded.label_vi, excluded.letter, excluded.section)
RETURNING known.xmax = 0 AS added

-- name: topics - all subjects of all letters
SELECT code, label_vi, letter, section, valid_from, valid_until FROM topic ORDER BY code, valid_from

-- name: topic_codes - codes of all subjects
SELECT DISTINCT code FROM topic

-- name: deleted - codes that were deleted, and on which local day
SELECT code, local_day(deleted_at) FROM content WHERE deleted_at IS NOT NULL

-- name: versions - all versions of some contents, or of all of them where no codes are given
SELECT v.content AS code, v.version, v.title_vi, v.title_foreign, v.title_language, v.language, v.topic,
       v.kind::text AS kind, v.priority::text AS priority, v.approval_no, v.approval_body, v.approval_date,
       v.valid_from, v.valid_until, v.withdrawn_on, v.source, encode(v.media_sha256, 'hex') AS media_sha256,
       encode(v.frame_hash, 'hex') AS frame_hash, v.recorded_at, v.recorded_by, c.deleted_at,
       ARRAY(SELECT r.ref FROM content_ref r WHERE r.content = v.content AND r.version = v.version ORDER BY 1) AS refs
FROM content_version v JOIN content c ON c.code = v.content
WHERE %(codes)s::text[] IS NULL OR v.content = ANY(%(codes)s)
ORDER BY v.content, v.version

-- name: put_content - a row for a content that is catalogued for the first time
INSERT INTO content (code) VALUES (%(code)s) ON CONFLICT (code) DO NOTHING

-- name: put_version - one version
INSERT INTO content_version (content, version, title_vi, title_foreign, title_language, language, topic, kind, priority,
    approval_no, approval_body, approval_date, valid_from, valid_until, withdrawn_on, source, media_sha256, frame_hash,
    recorded_at, recorded_by)
VALUES (%(code)s, %(version)s, %(title_vi)s, %(title_foreign)s, %(title_language)s, %(language)s, %(topic)s, %(kind)s,
    %(priority)s, %(approval_no)s, %(approval_body)s, %(approval_date)s, %(valid_from)s, %(valid_until)s,
    %(withdrawn_on)s, %(source)s, decode(%(media_sha256)s, 'hex'), decode(%(frame_hash)s, 'hex'),
    %(recorded_at)s, %(recorded_by)s)

-- name: put_refs - the names that a version is known by
INSERT INTO content_ref (ref, content, version) SELECT unnest(%(refs)s::text[]), %(code)s, %(version)s

-- name: change - note what was done to the catalogue
INSERT INTO catalogue_change (at, who, deed, contents, reason)
VALUES (%(at)s, %(who)s, %(deed)s, %(contents)s, %(reason)s) RETURNING id

-- name: delete - a content was a mistake
UPDATE content SET deleted_at = %(at)s, deleted_by = %(who)s WHERE code = %(code)s AND deleted_at IS NULL RETURNING code

-- name: restore - that it was deleted was a mistake
UPDATE content SET deleted_at = NULL, deleted_by = NULL WHERE code = %(code)s AND deleted_at IS NOT NULL RETURNING code

-- name: known - whether there is such a content
SELECT deleted_at IS NOT NULL FROM content WHERE code = %(code)s
