-- What may be shown: subjects, contents with all their versions and names, and what every content that was ever seen is
-- by them, day by day. What must be shown: the plan. What was shown: the daily record, which outlives the catalogue.

CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;

-- the catalogue ------------------------------------------------------------------------------------------------------

CREATE TYPE content_kind AS ENUM ('video', 'image', 'page', 'audio', 'text');
CREATE TYPE content_priority AS ENUM ('thong_thuong', 'uu_tien', 'khan_cap');
CREATE TYPE play_verdict AS ENUM ('approved', 'expired', 'not_yet_valid', 'unknown', 'altered');

-- Subjects as the letters of the ministry name them. Of the rows of one code that are valid on a day, the one that began
-- last holds: so a later letter's vocabulary is added, and the earlier one stays true for its own time.
CREATE TABLE topic (
    code            text NOT NULL,
    valid_from      date NOT NULL,
    valid_until     date,                            -- the last day; null: until further notice
    label_vi        text NOT NULL,
    letter          text,                            -- number of the letter; null: ours
    section         text,                            -- of that letter
    PRIMARY KEY (code, valid_from),
    CHECK (valid_from <= valid_until)
);

CREATE TABLE content (
    code            text PRIMARY KEY,
    deleted_at      timestamptz,                     -- it was a mistake: for plays, it never was
    deleted_by      text,
    CHECK ((deleted_at IS NULL) = (deleted_by IS NULL))
);

-- Never changed: what is said anew is a new version. Which versions are in force: hub/catalogue/versions.py.
CREATE TABLE content_version (
    content         text NOT NULL REFERENCES content (code),
    version         integer NOT NULL CHECK (version >= 1),
    title_vi        text NOT NULL,
    title_foreign   text,
    title_language  text,                            -- BCP 47, of title_foreign
    language        text NOT NULL,                   -- BCP 47; zxx: without words, mul: several
    topic           text NOT NULL,                   -- topic.code
    kind            content_kind NOT NULL,
    priority        content_priority NOT NULL,
    approval_no     text,                            -- null: nobody answers for it yet
    approval_body   text,
    approval_date   date,
    valid_from      date NOT NULL,                   -- local days
    valid_until     date,                            -- the last day; null: until further notice
    withdrawn_on    date,                            -- the first day on which its approval no longer holds
    source          text,                            -- where it is from, such as an article of vietnam.vn
    media_sha256    bytea CHECK (length(media_sha256) = 32),
    frame_hash      bytea CHECK (length(frame_hash) = 8), -- of a reference frame: hub/catalogue/frame_hash.py
    recorded_at     timestamptz NOT NULL,
    recorded_by     text NOT NULL,
    PRIMARY KEY (content, version),
    CHECK ((title_foreign IS NULL) = (title_language IS NULL)),
    CHECK (num_nulls(approval_no, approval_body, approval_date) IN (0, 3)),
    CHECK (valid_from <= valid_until)
);
CREATE INDEX content_version_media ON content_version (media_sha256) WHERE media_sha256 IS NOT NULL;

-- Names that players call a version by, as kiosks normalise them.
CREATE TABLE content_ref (
    ref             text NOT NULL,
    content         text NOT NULL,
    version         integer NOT NULL,
    PRIMARY KEY (content, version, ref),
    FOREIGN KEY (content, version) REFERENCES content_version (content, version)
);
CREATE INDEX content_ref_ref ON content_ref (ref);

CREATE TRIGGER content_version_stays BEFORE UPDATE OR DELETE ON content_version
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER content_ref_stays BEFORE UPDATE OR DELETE ON content_ref
    FOR EACH ROW EXECUTE FUNCTION append_only();

-- What was done to the catalogue, by whom and why.
CREATE TABLE catalogue_change (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at              timestamptz NOT NULL,
    who             text NOT NULL,
    deed            text NOT NULL CHECK (deed IN ('imported', 'withdrawn', 'deleted', 'restored', 'resolved')),
    contents        text[] NOT NULL,                 -- codes; empty for resolved: all of them were looked at
    reason          text
);
CREATE INDEX catalogue_change_at ON catalogue_change (at);
CREATE TRIGGER catalogue_change_stays BEFORE UPDATE OR DELETE ON catalogue_change
    FOR EACH ROW EXECUTE FUNCTION append_only();

-- what was seen, by the catalogue ------------------------------------------------------------------------------------

CREATE INDEX shown_content_sha256 ON shown_content (content_sha256) WHERE content_sha256 IS NOT NULL;

-- For each content that was ever seen a verdict for every local day: stretches that are disjoint and leave none out,
-- from 0001-01-01 to 9999-12-31. Made by hub.compliance.verdict.timeline, in the transaction that changes what it rests on.
CREATE TABLE resolved (
    content         integer NOT NULL REFERENCES shown_content (id),
    first_day       date NOT NULL,
    last_day        date NOT NULL,
    verdict         play_verdict NOT NULL,
    code            text,                            -- the version that it rests on; null: nothing of the catalogue
    version         integer,
    resolved_at     timestamptz NOT NULL,
    PRIMARY KEY (content, first_day),
    FOREIGN KEY (code, version) REFERENCES content_version (content, version),
    CHECK (first_day <= last_day),
    CHECK ((code IS NULL) = (version IS NULL)),
    CHECK (code IS NOT NULL OR verdict = 'unknown')
);
INSERT INTO resolved (content, first_day, last_day, verdict, resolved_at)
SELECT id, '0001-01-01', '9999-12-31', 'unknown', now() FROM shown_content;

-- What a change of the catalogue made of days that had another verdict before, past days included.
CREATE TABLE resolution_change (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    change          bigint NOT NULL REFERENCES catalogue_change (id),
    content         integer NOT NULL REFERENCES shown_content (id),
    first_day       date NOT NULL,
    last_day        date NOT NULL,
    old_verdict     play_verdict NOT NULL,
    old_code        text,
    old_version     integer,
    new_verdict     play_verdict NOT NULL,
    new_code        text,
    new_version     integer,
    CHECK (first_day <= last_day)
);
CREATE INDEX resolution_change_content ON resolution_change (content);
CREATE INDEX resolution_change_change ON resolution_change (change);
CREATE TRIGGER resolution_change_stays BEFORE UPDATE OR DELETE ON resolution_change
    FOR EACH ROW EXECUTE FUNCTION append_only();

-- the daily record ---------------------------------------------------------------------------------------------------

-- What was shown on a local day that is over, with what it was by the catalogue when the day was recorded, as text: it
-- stays when a content goes. Made from play_hour and resolved by `ttdn-hub maintain`; made again when either changes.
CREATE TABLE play_day (
    day             date NOT NULL,
    placement       integer NOT NULL REFERENCES placement (id),
    content         integer NOT NULL REFERENCES shown_content (id),
    version         integer,
    plays           bigint NOT NULL,
    shown_ms        bigint NOT NULL,
    failed          bigint NOT NULL,
    restated        integer NOT NULL,                -- of day_recorded, when this row became what it is
    grade           play_grade NOT NULL,
    verdict         play_verdict NOT NULL,
    code            text,
    title_vi        text,
    language        text,
    topic           text,
    approval_no     text,
    PRIMARY KEY (placement, day, content, grade)
) WITH (fillfactor = 90);
CREATE INDEX play_day_content ON play_day (content, day);
CREATE INDEX play_day_day ON play_day USING brin (day);

-- A statement of a day at a place; `restated` says how often it was corrected.
CREATE TABLE day_recorded (
    placement       integer NOT NULL REFERENCES placement (id),
    day             date NOT NULL,
    recorded_at     timestamptz NOT NULL,            -- first
    restated_at     timestamptz,
    restated        integer NOT NULL DEFAULT 0,
    PRIMARY KEY (placement, day)
);

-- Days up to `through` are over and have been handed to the record.
CREATE TABLE day_closed (
    through         date PRIMARY KEY,
    closed_at       timestamptz NOT NULL
);

-- Days that are to be recorded, or recorded again. Only appended to, without a key, so that nobody waits for anybody:
-- who records takes rows away that he sees, and then reads counts that are as new as those rows or newer.
CREATE TABLE day_dirty (
    placement       integer NOT NULL,
    day             date NOT NULL
);

CREATE FUNCTION mark_days() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    its_placement integer := CASE TG_OP WHEN 'DELETE' THEN OLD.placement ELSE NEW.placement END;
    its_day date := hub.local_day(CASE TG_OP WHEN 'DELETE' THEN OLD.bucket ELSE NEW.bucket END);
    mark text := its_placement || ' ' || its_day;
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.placement <> NEW.placement THEN
        INSERT INTO hub.day_dirty VALUES (OLD.placement, its_day);
    END IF;
    -- Counts are raised in the order of their keys: what a transaction marks again and again is one day.
    IF current_setting('ttdn.marked', true) IS DISTINCT FROM mark THEN
        INSERT INTO hub.day_dirty VALUES (its_placement, its_day);
        PERFORM set_config('ttdn.marked', mark, true);
    END IF;
    RETURN NULL;
END $$;
-- Counts of today mark nothing: the condition is all that they cost. Whatever changes a day that is over marks it, be it
-- late events, a device that was moved, or counts made again.
CREATE TRIGGER mark_late AFTER INSERT OR UPDATE ON play_hour FOR EACH ROW
    WHEN (NEW.bucket < date_trunc('day', now() + interval '7 hours', 'UTC') - interval '7 hours')
    EXECUTE FUNCTION mark_days();
CREATE TRIGGER mark_gone AFTER DELETE ON play_hour FOR EACH ROW
    WHEN (OLD.bucket < date_trunc('day', now() + interval '7 hours', 'UTC') - interval '7 hours')
    EXECUTE FUNCTION mark_days();

-- the plan -----------------------------------------------------------------------------------------------------------

CREATE TYPE plan_target AS ENUM ('site', 'device', 'group');
CREATE TYPE plan_unit AS ENUM ('plays_per_hour', 'plays_per_day', 'seconds_per_day');

CREATE TABLE device_group (
    code            text PRIMARY KEY,
    name_vi         text NOT NULL
);
CREATE TABLE device_group_member (
    device_group    text NOT NULL REFERENCES device_group (code),
    device          integer NOT NULL REFERENCES device (id),
    PRIMARY KEY (device_group, device)
);

-- What must be shown where, in which windows of local time, at least how often.
CREATE TABLE plan_item (
    code            text PRIMARY KEY,
    campaign        text REFERENCES campaign (code),
    target_kind     plan_target NOT NULL,
    target          text NOT NULL,                   -- code of a site or group, name of a device
    contents        text[] CHECK (contents <> '{}'), -- any of these codes; or else:
    topic           text,                            -- any content of this subject
    first_day       date NOT NULL,
    last_day        date NOT NULL,
    weekdays        smallint[] NOT NULL,             -- ISO: Monday is 1
    hours           smallint[] NOT NULL,             -- 7: from 07:00 to 08:00
    unit            plan_unit NOT NULL,
    least           integer NOT NULL,                -- in each window
    languages       jsonb NOT NULL,                  -- percent of what is required, by BCP 47 tag
    shortest_play_ms integer,
    screens         integer NOT NULL,
    recorded_at     timestamptz NOT NULL,
    recorded_by     text NOT NULL,
    CHECK ((contents IS NULL) <> (topic IS NULL)),
    CHECK (first_day <= last_day)
);
