#!/bin/sh
# Runs once, on an empty data volume: three databases, two owners, one password from the environment.
set -eu
psql --set ON_ERROR_STOP=1 --username postgres --set "password=$POSTGRES_PASSWORD" <<'SQL'
create role neurocards login password :'password';
create role temporal login password :'password';
create database neurocards owner neurocards;
create database temporal owner temporal;
create database temporal_visibility owner temporal;
SQL
