#!/bin/sh
# The role that the service connects as: it owns nothing, so that row-level security holds for it.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
  --set password="$SERVICE_PASSWORD" <<'SQL'
CREATE ROLE throttle LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD :'password';
SQL
