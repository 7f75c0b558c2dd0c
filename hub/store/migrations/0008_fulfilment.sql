-- Whether what was planned was shown, window by window; and what nobody knows of a device's time.

CREATE TYPE plan_outcome AS ENUM ('enough', 'too_little', 'not_at_all', 'unknown');

CREATE TABLE plan_result (
    item            text NOT NULL,                   -- plan_item; the result stays when the item goes
    placement       integer NOT NULL REFERENCES placement (id), -- where its device stood
    day             date NOT NULL,                   -- local
    hour            smallint NOT NULL,               -- local; -1: the whole day
    result          plan_outcome NOT NULL,
    required        bigint NOT NULL,                 -- plays, or ms
    shown           bigint NOT NULL,                 -- proven
    at_most         bigint,                          -- if all that is unknown was shown; null: nobody can say
    shown_ms        bigint NOT NULL,
    unknown_ms      bigint NOT NULL,                 -- of the window
    languages       jsonb NOT NULL,                  -- per language: required, shown, at_most
    judged_at       timestamptz NOT NULL,
    PRIMARY KEY (item, placement, day, hour)
);
CREATE INDEX plan_result_day ON plan_result (day);

-- Time of a local day of which not everything is known, and why.
CREATE TABLE unknown_time (
    placement       integer NOT NULL REFERENCES placement (id),
    day             date NOT NULL,
    begins          timestamptz NOT NULL,
    ends            timestamptz NOT NULL,
    reasons         text[] NOT NULL,                 -- hole, declared_loss, silence, late
    PRIMARY KEY (placement, begins),
    CHECK (begins < ends)
);
CREATE INDEX unknown_time_day ON unknown_time (day);

-- Days that are over and have to be judged, or judged again; as day_dirty, only appended to.
CREATE TABLE judge_due (
    placement       integer NOT NULL,
    day             date NOT NULL
);
CREATE FUNCTION mark_judge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO hub.judge_due VALUES (NEW.placement, hub.local_day(NEW.bucket));
    -- A day's first hour tells of the end of the day before: events speak of the time before them.
    IF NEW.bucket = hub.begin_of(hub.local_day(NEW.bucket)) THEN
        INSERT INTO hub.judge_due VALUES (NEW.placement, hub.local_day(NEW.bucket) - 1);
    END IF;
    RETURN NULL;
END $$;
-- Whatever tells of a day that is over: an event of any kind shows that the agent was awake.
CREATE TRIGGER mark_judge AFTER INSERT OR UPDATE ON event_hour FOR EACH ROW
    WHEN (NEW.bucket < date_trunc('day', now() + interval '7 hours', 'UTC') - interval '7 hours')
    EXECUTE FUNCTION mark_judge();

-- A device that is moved, or placed at all: the days since then, of the last weeks, were of another place.
CREATE FUNCTION mark_judge_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO hub.judge_due
    SELECT NEW.id, day::date
    FROM generate_series(greatest(hub.local_day(NEW.since), hub.local_day(now()) - 35), hub.local_day(now()) - 1,
                         '1 day') AS day;
    RETURN NULL;
END $$;
CREATE TRIGGER mark_judge_moved AFTER INSERT OR UPDATE OF site ON placement FOR EACH ROW WHEN (NEW.site IS NOT NULL)
    EXECUTE FUNCTION mark_judge_moved();

-- Days that were judged before the device spoke again: due once more at its first later sign of life.
CREATE TABLE judge_wait (
    placement       integer NOT NULL,
    day             date NOT NULL,
    heard           timestamptz NOT NULL,            -- what happened up to this moment was known to those who judged
    PRIMARY KEY (placement, day)
);

CREATE TABLE judged (
    through         date PRIMARY KEY                 -- local days up to this one have been handed to judge_due
);

-- The plan, its groups or the catalogue have changed: the days of the last weeks are to be judged once more.
CREATE TABLE judge_all (
    at              timestamptz NOT NULL DEFAULT now()
);
CREATE FUNCTION mark_judge_all() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO hub.judge_all DEFAULT VALUES;
    RETURN NULL;
END $$;
CREATE TRIGGER mark_judge_all AFTER INSERT OR UPDATE OR DELETE ON plan_item
    FOR EACH STATEMENT EXECUTE FUNCTION mark_judge_all();
CREATE TRIGGER mark_judge_all AFTER INSERT OR UPDATE OR DELETE ON device_group_member
    FOR EACH STATEMENT EXECUTE FUNCTION mark_judge_all();
CREATE TRIGGER mark_judge_all AFTER INSERT ON resolution_change
    FOR EACH STATEMENT EXECUTE FUNCTION mark_judge_all();
