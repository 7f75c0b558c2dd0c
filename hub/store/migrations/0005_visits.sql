-- Sessions of visitors: facts are gone at most 30 days after the visit began, counts stay for good. Nothing here says who anybody was.

-- Sessions whose acts have come in since their fact was made; `ttdn-hub` settles them soon. Only appended to, without a
-- key, so that the ingest waits for nobody.
CREATE TABLE visit_due (
    placement       integer NOT NULL,
    session         bigint NOT NULL,                 -- random; means nothing outside its device
    first_at        timestamptz NOT NULL,            -- times of the acts that came in
    last_at         timestamptz NOT NULL,
    marked_at       timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE visit (
    placement       integer NOT NULL,
    session         bigint NOT NULL,
    began_at        timestamptz NOT NULL,
    ended_at        timestamptz NOT NULL,            -- as far as is known
    started         boolean NOT NULL,                -- its session_start is in: only then it counts as a session
    duration_ms     bigint NOT NULL,
    main_language   text NOT NULL,                   -- the last chosen; und: none
    languages       text[] NOT NULL,                 -- in the order in which they were chosen
    page_views      integer NOT NULL,
    pages           text[] NOT NULL,                 -- distinct names
    media_plays     integer NOT NULL,
    searches        integer NOT NULL,
    qr_shown        integer NOT NULL,
    rating          smallint,                        -- 1 to 5, the last given
    content         integer,                         -- shown_content: what was on screen when it began, if anything is known
    PRIMARY KEY (placement, session)
);
CREATE INDEX visit_began ON visit (began_at);

CREATE TABLE visit_hour (
    bucket          timestamptz NOT NULL,            -- the UTC hour in which the visits began
    placement       integer NOT NULL,
    language        text NOT NULL,
    content         integer NOT NULL,                -- shown_content; 0: not known
    sessions        bigint NOT NULL,
    page_views      bigint NOT NULL,
    duration_ms     bigint NOT NULL,
    feedbacks       bigint NOT NULL,
    feedback_sum    bigint NOT NULL,
    PRIMARY KEY (placement, bucket, language, content)
) WITH (fillfactor = 70);
CREATE INDEX visit_hour_bucket ON visit_hour USING brin (bucket);

CREATE VIEW recount_visit_hour AS
SELECT date_trunc('hour', began_at, 'UTC') AS bucket, placement, main_language AS language,
       coalesce(content, 0) AS content, count(*) FILTER (WHERE started) AS sessions,
       sum(page_views)::bigint AS page_views, sum(duration_ms)::bigint AS duration_ms, count(rating) AS feedbacks,
       coalesce(sum(rating), 0)::bigint AS feedback_sum
FROM visit GROUP BY 1, 2, 3, 4;

INSERT INTO visit_due (placement, session, first_at, last_at)
SELECT placement, session, min(time), max(time) FROM interaction GROUP BY 1, 2;

-- What the hub does by itself now and then, and when it was last done.
CREATE TABLE chore (
    name            text PRIMARY KEY,
    done_at         timestamptz NOT NULL
);
