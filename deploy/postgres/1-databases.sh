#!/bin/sh
# Runs once, on an empty data volume: three databases, their owners, and logins that own nothing: of bot and workers,
# of the backup, of the exporter. Passwords are files; deploy/make_secrets.sh makes them.
set -eu
psql --set ON_ERROR_STOP=1 --username postgres --dbname postgres <<SQL
\set folder ${SECRETS_FOLDER:-/run/secrets}
\set owner_password \`cat :folder/owner_password\`
\set program_password \`cat :folder/program_password\`
\set temporal_password \`cat :folder/temporal_password\`
\set monitor_password \`cat :folder/monitor_password\`
\set backup_password \`cat :folder/backup_password\`
create role neurocards login createrole password :'owner_password';
create role neurocards_program login password :'program_password';
create role temporal login password :'temporal_password';
create role neurocards_monitor login password :'monitor_password' in role pg_monitor;
create role neurocards_backup login replication password :'backup_password';
create database neurocards owner neurocards;
create database temporal owner temporal;
create database temporal_visibility owner temporal;
SQL
# Its "all" does not mean replication. Where the file is differs: Debian keeps it outside the data folder.
rules=$(psql --username postgres --dbname postgres --no-align --tuples-only --command 'show hba_file')
echo "host replication neurocards_backup all scram-sha-256" >>"$rules"
psql --username postgres --dbname postgres --quiet --no-align --tuples-only --command 'select pg_reload_conf()' >/dev/null
