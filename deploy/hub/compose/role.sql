-- The hub's role and its database, once, when the data folder is made. The password does not pass through the log.
\set password `cat /run/secrets/hub_password`
SET log_statement = 'none';
SET log_min_error_statement = 'panic';
CREATE ROLE "ttdn-hub" LOGIN PASSWORD :'password';
ALTER DATABASE ttdn OWNER TO "ttdn-hub";
CREATE EXTENSION IF NOT EXISTS timescaledb;
