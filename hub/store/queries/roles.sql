-- Logins of readers. Many queries here answer with statements to be run, made by the server that knows what there is;
-- `hub` is the role that owns the schema hub.

-- name: provinces - provinces that there are now, each with the codes of those that went into it and are no more
WITH RECURSIVE latest AS (
    SELECT DISTINCT ON (code) code, valid_until, merged_into FROM province_period ORDER BY code, valid_from DESC
), gone AS (
    SELECT code, merged_into FROM latest WHERE valid_until <= local_day(now())
), heir AS (
    SELECT code, code AS province FROM province WHERE code NOT IN (SELECT code FROM gone)
    UNION
    SELECT g.code, h.province FROM gone g JOIN heir h ON h.code = g.merged_into
)
SELECT province, array_agg(code ORDER BY code) FROM heir GROUP BY province ORDER BY province

-- name: prevented - what an administrator has to run before we can make these logins at all
SELECT format('ALTER ROLE %%I CREATEROLE', current_user) FROM pg_roles
WHERE rolname = current_user AND NOT rolsuper AND NOT rolcreaterole
UNION ALL
SELECT format('GRANT %%I TO %%I WITH ADMIN OPTION', r.rolname, current_user) FROM pg_roles r, pg_roles me
WHERE r.rolname = ANY (%(roles)s) AND me.rolname = current_user AND NOT me.rolsuper
  AND current_setting('server_version_num')::int >= 160000
  AND NOT pg_has_role(r.oid, 'USAGE WITH ADMIN OPTION')

-- name: existing - which of these roles there are
SELECT rolname FROM pg_roles WHERE rolname = ANY (%(roles)s)

-- name: make - statements that make a login what it has to be; the password comes as a verifier
SELECT statement FROM (
    SELECT 1, format('%%s ROLE %%I LOGIN CONNECTION LIMIT %%s PASSWORD %%L',
                     CASE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = %(role)s) THEN 'ALTER' ELSE 'CREATE' END,
                     %(role)s::text, %(connections)s::int, %(verifier)s::text)
    UNION ALL
    SELECT 2, format('ALTER ROLE %%I RESET ALL', %(role)s::text)
    UNION ALL
    SELECT 3, format('ALTER ROLE %%I IN DATABASE %%I RESET ALL', %(role)s::text, current_database())
    UNION ALL
    SELECT 4, format('ALTER ROLE %%I IN DATABASE %%I SET %%I = %%s', %(role)s::text, current_database(), name,
                     CASE name WHEN 'search_path' THEN value ELSE quote_literal(value) END)
    FROM unnest(%(names)s::text[], %(values)s::text[]) AS setting (name, value)
    WHERE EXISTS (SELECT FROM pg_settings s WHERE s.name = setting.name)
) AS made (place, statement)
ORDER BY place, statement

-- name: changed - logins that begin with other settings than they were given: they can change their own
WITH expected AS (
    SELECT array_agg(name || '=' || value ORDER BY name || '=' || value) AS settings
    FROM unnest(%(names)s::text[], %(values)s::text[]) AS setting (name, value)
    WHERE EXISTS (SELECT FROM pg_settings s WHERE s.name = setting.name)
)
SELECT l.rolname FROM reader r JOIN pg_roles l ON l.rolname = r.role, expected e
WHERE e.settings IS DISTINCT FROM (
    SELECT array_agg(one ORDER BY one) FROM pg_db_role_setting s, unnest(s.setconfig) AS one
    WHERE s.setrole = l.oid AND one NOT LIKE 'temp_file_limit=%%'
      AND s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
)
ORDER BY 1

-- name: put_reader - what a login may see
INSERT INTO reader AS known (role, provinces, exact) VALUES (%(role)s, %(provinces)s, %(exact)s)
ON CONFLICT (role) DO UPDATE SET provinces = excluded.provinces, exact = excluded.exact
WHERE (known.provinces, known.exact) IS DISTINCT FROM (excluded.provinces, excluded.exact)

-- name: forget_reader - a login that is no more
DELETE FROM reader WHERE role = %(role)s

-- name: is_there - whether this database has the schema report
SELECT to_regprocedure('report.my_visitors()') IS NOT NULL

-- name: grants - statements that give each login its views and nothing else of the schema report
-- A view that filters by report.my_visitors() is for exact logins only: without a grant not even EXPLAIN tells of it.
WITH login AS (
    SELECT r.role, r.exact FROM reader r JOIN pg_roles l ON l.rolname = r.role
), view AS (
    SELECT c.oid, c.relname, EXISTS (
        SELECT FROM pg_rewrite w JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
        WHERE w.ev_class = c.oid AND d.refclassid = 'pg_proc'::regclass
          AND d.refobjid = 'report.my_visitors()'::regprocedure
    ) AS exact
    FROM pg_class c WHERE c.relnamespace = 'report'::regnamespace AND c.relkind = 'v'
)
SELECT statement FROM (
    SELECT 1, format('GRANT CONNECT ON DATABASE %%I TO %%I', current_database(), role) AS statement FROM login
    WHERE NOT has_database_privilege(role, current_database(), 'CONNECT')
    UNION ALL
    SELECT 2, format('GRANT USAGE ON SCHEMA report TO %%I', role) FROM login
    WHERE NOT has_schema_privilege(role, 'report', 'USAGE')
    UNION ALL
    SELECT 3, format('GRANT SELECT ON report.%%I TO %%I', v.relname, l.role) FROM login l, view v
    WHERE (l.exact OR NOT v.exact) AND NOT has_table_privilege(l.role, v.oid, 'SELECT')
    UNION ALL
    SELECT 4, format('REVOKE ALL ON report.%%I FROM %%I', v.relname, l.role) FROM login l, view v
    WHERE v.exact AND NOT l.exact AND has_table_privilege(l.role, v.oid, 'SELECT')
) AS made (place, statement)
ORDER BY place, statement

-- name: doors - statements that shut what readers could still come through, in their order
-- What the hub itself needs of it is given to the hub before; what monitoring needs, to pg_monitor.
WITH hub AS (
    SELECT o.oid, quote_ident(o.rolname) AS name, o.rolsuper FROM pg_namespace n JOIN pg_roles o ON o.oid = n.nspowner
    WHERE n.nspname = 'hub'
), login AS (
    SELECT l.* FROM reader r JOIN pg_roles l ON l.rolname = r.role
), functions AS (
    -- Advisory locks: whoever takes ours stops the hub. Sizes and statistics count rows of others. The rest writes.
    SELECT string_agg(p.oid::regprocedure::text, ', ' ORDER BY p.oid::regprocedure::text) AS names
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE has_function_privilege('public', p.oid, 'EXECUTE') AND CASE
        WHEN n.nspname = 'pg_catalog' THEN p.proname ~ '^pg_(try_)?advisory_' OR p.proname ~ '^pg_stat_(get|have)_'
            OR p.proname IN ('pg_relation_size', 'pg_table_size', 'pg_indexes_size', 'pg_total_relation_size',
                             'pg_database_size', 'pg_tablespace_size', 'pg_lock_status', 'pg_cancel_backend',
                             'pg_terminate_backend', 'pg_logical_emit_message', 'lo_creat', 'lo_create', 'lo_from_bytea')
        WHEN n.nspname IN ('_timescaledb_functions', '_timescaledb_internal')
        THEN p.proname ~ 'size|stat|count|chunk|job|polic|worker|cagg|materializ|hypertable|invalidation|segmentby|orderby'
    END
), relations AS (
    SELECT string_agg(format('%%I.%%I', n.nspname, c.relname), ', ' ORDER BY n.nspname, c.relname) AS names
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname NOT IN ('report', 'pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
      AND CASE WHEN c.relkind = 'S' THEN has_sequence_privilege('public', c.oid, 'SELECT, USAGE, UPDATE')
               WHEN c.relkind IN ('r', 'p', 'v', 'm', 'f') THEN has_any_column_privilege('public', c.oid, 'SELECT') END
), schemas AS (
    -- When a session begins TimescaleDB looks for parts of its own by their names, in the four that are left out.
    SELECT nspname FROM pg_namespace
    WHERE nspname NOT IN ('report', 'pg_catalog', 'information_schema', '_timescaledb_catalog', '_timescaledb_config',
                          '_timescaledb_functions', '_timescaledb_internal')
      AND nspname !~ '^pg_(toast|temp)'
      AND (has_schema_privilege('public', oid, 'USAGE') OR has_schema_privilege('public', oid, 'CREATE'))
), columns AS (
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) AS names FROM pg_attribute
    WHERE attrelid = 'pg_class'::regclass AND attnum > 0 AND NOT attisdropped
      AND attname NOT IN ('reltuples', 'relpages', 'relallvisible', 'relallfrozen')
), foreign_grants AS (
    -- What they own, and what was given to them beside the schema report.
    SELECT DISTINCT l.rolname FROM pg_shdepend s JOIN login l ON l.oid = s.refobjid
    WHERE s.refclassid = 'pg_authid'::regclass AND s.deptype IN ('a', 'o')
      AND s.dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
      AND NOT (s.classid = 'pg_database'::regclass)
      AND NOT (s.classid = 'pg_namespace'::regclass AND s.objid = 'report'::regnamespace AND s.deptype = 'a')
      AND NOT (s.classid = 'pg_class'::regclass AND s.deptype = 'a'
               AND (SELECT relnamespace FROM pg_class WHERE oid = s.objid) = 'report'::regnamespace)
)
SELECT statement FROM (
    SELECT 1, format('GRANT EXECUTE ON ROUTINE %%s TO %%s, pg_monitor, pg_signal_backend', f.names, hub.name)
    FROM functions f, hub WHERE f.names IS NOT NULL
    UNION ALL
    SELECT 2, format('REVOKE EXECUTE ON ROUTINE %%s FROM PUBLIC', names) FROM functions WHERE names IS NOT NULL
    UNION ALL
    SELECT 3, format('GRANT SELECT ON %%s TO %%s, pg_monitor', names, hub.name) FROM relations, hub WHERE names IS NOT NULL
    UNION ALL
    SELECT 4, format('REVOKE ALL ON %%s FROM PUBLIC', names) FROM relations WHERE names IS NOT NULL
    UNION ALL
    SELECT 5, format('GRANT USAGE ON SCHEMA %%I TO %%s', nspname, hub.name) FROM schemas, hub
    UNION ALL
    SELECT 6, format('REVOKE ALL ON SCHEMA %%I FROM PUBLIC', nspname) FROM schemas
    UNION ALL
    SELECT 7, format('GRANT TEMPORARY ON DATABASE %%I TO %%s', current_database(), hub.name) FROM hub
    WHERE has_database_privilege('public', current_database(), 'TEMPORARY')
    UNION ALL
    SELECT 8, format('REVOKE TEMPORARY, CREATE ON DATABASE %%I FROM PUBLIC', current_database())
    WHERE has_database_privilege('public', current_database(), 'TEMPORARY')
       OR has_database_privilege('public', current_database(), 'CREATE')
    UNION ALL
    SELECT 9, format('GRANT SELECT ON pg_catalog.pg_class TO %%s, pg_monitor', hub.name) FROM hub
    WHERE has_column_privilege('public', 'pg_class'::regclass, 'reltuples', 'SELECT')
    UNION ALL
    SELECT 10, 'REVOKE SELECT ON pg_catalog.pg_class FROM PUBLIC; ' -- in one: nobody can do without all of it
               || format('GRANT SELECT (%%s) ON pg_catalog.pg_class TO PUBLIC', names)
    FROM columns WHERE has_column_privilege('public', 'pg_class'::regclass, 'reltuples', 'SELECT')
    UNION ALL
    SELECT 12, format('DROP OWNED BY %%I', rolname) FROM foreign_grants
    UNION ALL
    SELECT 13, format('REVOKE %%I FROM %%I', o.rolname, l.rolname)
    FROM pg_auth_members m JOIN login l ON l.oid = m.member JOIN pg_roles o ON o.oid = m.roleid
    UNION ALL
    SELECT 14, format('ALTER ROLE %%I NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS', rolname) FROM login
    WHERE rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls
    UNION ALL
    -- The one limit of theirs that they cannot lift themselves.
    SELECT 15, format('ALTER ROLE %%I IN DATABASE %%I SET temp_file_limit = %%L', rolname, current_database(), '1GB')
    FROM login l
    WHERE NOT EXISTS (
        SELECT FROM pg_db_role_setting s JOIN pg_database b ON b.oid = s.setdatabase, unnest(s.setconfig) AS one
        WHERE s.setrole = l.oid AND b.datname = current_database() AND one LIKE 'temp_file_limit=%%'
    )
    UNION ALL
    -- So that the hub sees their sessions, and can end those that last too long.
    SELECT 16, format('GRANT %%I TO %%s', l.rolname, hub.name)
               || CASE WHEN current_setting('server_version_num')::int < 160000 THEN ''
                       ELSE ' WITH INHERIT TRUE, SET FALSE' END
    FROM login l, hub WHERE NOT hub.rolsuper AND NOT pg_has_role(hub.oid, l.oid, 'USAGE')
) AS made (place, statement)
ORDER BY place, statement

-- name: readers - logins that there are, or ought to be
SELECT r.role, r.provinces, r.exact, l.oid IS NOT NULL AND l.rolcanlogin AS can_log_in,
       (SELECT count(*) FROM pg_stat_activity a WHERE a.usename = r.role AND a.datname = current_database()) AS sessions
FROM reader r LEFT JOIN pg_roles l ON l.rolname = r.role ORDER BY r.provinces IS NULL DESC, r.role

-- name: unmake - statements that take everything from a login and drop it
SELECT statement FROM (
    SELECT 1, format('REVOKE ALL ON ALL TABLES IN SCHEMA report FROM %%I', rolname) AS statement, rolname FROM pg_roles
    UNION ALL
    SELECT 2, format('REVOKE ALL ON SCHEMA report FROM %%I', rolname), rolname FROM pg_roles
    UNION ALL
    SELECT 3, format('REVOKE ALL ON DATABASE %%I FROM %%I', current_database(), rolname), rolname FROM pg_roles
    UNION ALL
    SELECT 4, format('DROP ROLE %%I', rolname), rolname FROM pg_roles
) AS made (place, statement, rolname)
WHERE rolname = %(role)s ORDER BY place

-- name: end_sessions - end what a login has open
WITH open AS MATERIALIZED (
    SELECT pid FROM pg_stat_activity
    WHERE usename = %(role)s AND datname = current_database() AND pg_has_role(usesysid, 'USAGE')
)
SELECT pg_terminate_backend(pid) FROM open

-- name: end_overlong - end sessions of readers whose transaction lasts too long, whatever they have set; whose
WITH overlong AS MATERIALIZED ( -- first who, then the end: a condition that acts would be asked of everybody
    SELECT a.usename, a.pid FROM pg_stat_activity a JOIN reader r ON r.role = a.usename
    WHERE a.datname = current_database() AND a.xact_start < clock_timestamp() - make_interval(secs => %(longest_s)s)
      AND pg_has_role(a.usesysid, 'USAGE')
)
SELECT usename FROM overlong WHERE pg_terminate_backend(pid)

-- name: note - an entry of the audit log
INSERT INTO audit_entry (at, who, deed, what, detail) VALUES (%(now)s, %(who)s, %(deed)s, %(what)s, %(detail)s)
