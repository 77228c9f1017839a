#!/bin/sh
# Creates or updates the databases of the Temporal server and of the ledger. Safe to repeat.
set -eu
export SQL_PASSWORD="$POSTGRES_PWD"

sql() { temporal-sql-tool --plugin postgres12 --ep "$POSTGRES_SEEDS" -p "$DB_PORT" -u "$POSTGRES_USER" "$@"; }

for database in temporal visibility; do
    name=temporal
    [ "$database" = temporal ] || name=temporal_visibility
    sql --db "$name" create
    sql --db "$name" setup-schema -v 0.0 || true # It may exist already.
    sql --db "$name" update-schema -d "/etc/temporal/schema/postgresql/v12/$database/versioned"
done
sql --db ktrdr create
