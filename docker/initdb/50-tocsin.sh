#!/bin/bash
# Runs once, when the database's volume is new: two roles and the database. The owner migrates; the application's role
# reads and writes rows. What it may do to each table is granted by `tocsin migrate`.
set -euo pipefail
: "${DB_OWNER_PASSWORD:?}" "${DB_APP_PASSWORD:?}"

# \getenv: a password among the arguments could be read by every process of the container.
psql --set=ON_ERROR_STOP=1 --no-psqlrc --username="${POSTGRES_USER:-postgres}" --dbname=postgres <<'SQL'
\getenv owner_password DB_OWNER_PASSWORD
\getenv app_password DB_APP_PASSWORD
CREATE ROLE tocsin_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'owner_password';
CREATE ROLE tocsin_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'app_password';
CREATE DATABASE tocsin OWNER tocsin_owner;
REVOKE ALL ON DATABASE tocsin FROM PUBLIC;
GRANT CONNECT ON DATABASE tocsin TO tocsin_app;
\connect tocsin
CREATE EXTENSION IF NOT EXISTS timescaledb;
SQL
