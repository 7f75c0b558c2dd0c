-- The registry: provinces, organisations, gates with type and province from a day on, sites at gates, campaigns and
-- activities. What a site said of its gate becomes a gate of the same code.

-- Days are local ones: Asia/Ho_Chi_Minh, UTC+7 without daylight saving, as in hub/compliance/local_time.py.
CREATE FUNCTION local_day(moment timestamptz) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (moment AT TIME ZONE INTERVAL '7 hours')::date;
CREATE FUNCTION begin_of(day date) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN day::timestamp AT TIME ZONE INTERVAL '7 hours';

-- provinces: the same code may be of another province later, so names hold from a day on --------------------------------

CREATE TABLE province (
    code            text PRIMARY KEY
);

CREATE TABLE province_period (
    code            text NOT NULL REFERENCES province (code),
    valid_from      date NOT NULL,                   -- -infinity: as far as anybody has said
    name_vi         text NOT NULL,
    valid_until     date,                            -- the first day on which it is no more; null: until the next period
    merged_into     text REFERENCES province (code) DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (code, valid_from),
    CHECK (valid_until > valid_from),
    CHECK (merged_into IS NULL OR valid_until IS NOT NULL)
);

INSERT INTO province (code)
SELECT province_code FROM site UNION SELECT province_code FROM placement WHERE province_code IS NOT NULL;
INSERT INTO province_period (code, valid_from, name_vi)
SELECT p.code, '-infinity', coalesce(min(s.province_vi), 'Tỉnh ' || p.code)
FROM province p LEFT JOIN site s ON s.province_code = p.code GROUP BY p.code;

-- What a province is called on a day; before the first name that is known: that one.
CREATE FUNCTION province_vi(province text, day date) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
    SELECT name_vi FROM province_period p WHERE p.code = province
    ORDER BY valid_from <= day DESC, CASE WHEN valid_from <= day THEN valid_from END DESC, valid_from LIMIT 1
);

-- organisations ----------------------------------------------------------------------------------------------------

CREATE TABLE organisation (
    agency_code     text PRIMARY KEY,
    name_vi         text NOT NULL,
    province        text REFERENCES province (code), -- null: a national one
    parent          text REFERENCES organisation (agency_code) DEFERRABLE INITIALLY DEFERRED,
    valid_from      date,                            -- null: as far as anybody has said
    valid_until     date,                            -- the first day on which it is no more
    CHECK (valid_until > valid_from)
);

-- gates --------------------------------------------------------------------------------------------------------------

CREATE TABLE gate (
    code            text PRIMARY KEY,
    name_vi         text NOT NULL,
    neighbour       text NOT NULL,
    lat             double precision,
    lon             double precision,
    confidence      text NOT NULL DEFAULT ''
);

-- Holds from `since` until the gate's next period begins; every gate has one at least. Whoever changes it locks the
-- gate and settles its devices' placements (hub/store/placements.py) in the same transaction.
CREATE TABLE gate_period (
    gate            text NOT NULL REFERENCES gate (code),
    since           date NOT NULL,                   -- -infinity: as far as anybody has said
    gate_type       text NOT NULL,
    province_code   text NOT NULL REFERENCES province (code),
    PRIMARY KEY (gate, since)
);

INSERT INTO gate (code, name_vi, neighbour, lat, lon, confidence)
SELECT code, name_vi, neighbour, lat, lon, confidence FROM site;
INSERT INTO gate_period (gate, since, gate_type, province_code)
SELECT code, '-infinity', gate_type, province_code FROM site;

CREATE FUNCTION gate_province(gate_code text, moment timestamptz) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
    SELECT province_code FROM gate_period p WHERE p.gate = gate_code
    ORDER BY begin_of(since) <= moment DESC, CASE WHEN begin_of(since) <= moment THEN since END DESC, since LIMIT 1
);

-- sites --------------------------------------------------------------------------------------------------------------

ALTER TABLE site ADD COLUMN gate text REFERENCES gate (code);
UPDATE site SET gate = code, lat = NULL, lon = NULL;
ALTER TABLE site
    ALTER COLUMN gate SET NOT NULL,
    DROP COLUMN province_vi,
    DROP COLUMN province_code,
    DROP COLUMN neighbour,
    DROP COLUMN gate_type,
    DROP COLUMN confidence,                          -- lat, lon: null where it has none of its own; then the gate's serve
    ADD COLUMN status text NOT NULL DEFAULT 'operating' CHECK (status IN ('planned', 'operating', 'suspended', 'closed')),
    ADD COLUMN invested_at date,
    ADD COLUMN funding text CHECK (funding IN ('ngan_sach_dia_phuong', 'xa_hoi_hoa')),
    ADD COLUMN organisation text REFERENCES organisation (agency_code),
    ADD CHECK ((lat IS NULL) = (lon IS NULL));
CREATE INDEX site_gate ON site (gate);

-- Minutes of a local day. A weekday without a row: nobody has said; one that is closed has the row 0, 0.
CREATE TABLE site_hours (
    site            text NOT NULL REFERENCES site (code),
    weekday         smallint NOT NULL CHECK (weekday BETWEEN 1 AND 7), -- 1 is Monday
    opens_min       smallint NOT NULL CHECK (opens_min >= 0),
    closes_min      smallint NOT NULL CHECK (closes_min <= 1440),
    PRIMARY KEY (site, weekday, opens_min),
    CHECK (opens_min < closes_min OR (opens_min = 0 AND closes_min = 0))
);

-- Gates as they are on a day; before the first period that is known: as in that one.
CREATE FUNCTION gate_at(day date) RETURNS TABLE (
    code text, name_vi text, neighbour text, since date, gate_type text, province_code text, province_vi text,
    lat double precision, lon double precision, confidence text
) LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT g.code, g.name_vi, g.neighbour, p.since, p.gate_type, p.province_code, province_vi(p.province_code, day),
           g.lat, g.lon, g.confidence
    FROM gate g
    JOIN LATERAL (
        SELECT gp.since, gp.gate_type, gp.province_code FROM gate_period gp WHERE gp.gate = g.code
        ORDER BY gp.since <= day DESC, CASE WHEN gp.since <= day THEN gp.since END DESC, gp.since LIMIT 1
    ) p ON true;
END;

-- Sites as they are on a day. `surveyed`: the coordinates are the site's own, not the gate's.
CREATE FUNCTION site_at(day date) RETURNS TABLE (
    code text, name_vi text, gate text, gate_vi text, status text, invested_at date, funding text, organisation text,
    since date, gate_type text, province_code text, province_vi text, neighbour text, lat double precision,
    lon double precision, surveyed boolean, confidence text
) LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.code, s.name_vi, g.code, g.name_vi, s.status, s.invested_at, s.funding, s.organisation, g.since,
           g.gate_type, g.province_code, g.province_vi, g.neighbour, coalesce(s.lat, g.lat), coalesce(s.lon, g.lon),
           s.lat IS NOT NULL, g.confidence
    FROM site s JOIN gate_at(day) g ON g.code = s.gate;
END;

CREATE VIEW site_now AS SELECT * FROM site_at(local_day(now()));

-- campaigns and activities ----------------------------------------------------------------------------------------------

CREATE TABLE campaign (
    code            text PRIMARY KEY,
    name_vi         text NOT NULL,
    begins_on       date NOT NULL,
    ends_on         date NOT NULL,                   -- the last day
    organisation    text REFERENCES organisation (agency_code),
    document        text,
    CHECK (begins_on <= ends_on)
);

CREATE TABLE activity (
    code            text PRIMARY KEY,
    kind            text NOT NULL,                   -- hub/registry/activities.py
    name_vi         text NOT NULL,
    place           text NOT NULL,
    held_on         date NOT NULL,
    people          integer NOT NULL CHECK (people >= 0),
    organisation    text NOT NULL REFERENCES organisation (agency_code)
);
