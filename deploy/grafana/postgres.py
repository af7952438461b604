"""PostgreSQL, as its usual exporter tells of it: one instance, our database and Temporal's two."""

from typing import Final

from deploy.grafana.panels import Dashboard, Kind, Panel, Query, Section, Unit, rate

_OURS: Final = 'datname!~"template.*|postgres|"'


def _now(title: str, description: str, expression: str, unit: Unit = Unit.COUNT) -> Panel:
    return Panel(title, description, unit, (Query(expression, title.lower()),), Kind.STAT, width=6)


_NOW: Final = Section(
    "Now",
    (
        _now("Answers", "1 while PostgreSQL can be asked", "max(pg_up)"),
        _now(
            "Connections in use",
            "of max_connections",
            "sum(pg_stat_activity_count) / max(pg_settings_max_connections)",
            Unit.SHARE,
        ),
        _now("Size", "of all databases", "sum(pg_database_size_bytes)", Unit.BYTES),
        _now(
            "Longest transaction",
            "one that is long keeps dead rows alive",
            "max(pg_stat_activity_max_tx_duration)",
            Unit.SECONDS,
        ),
    ),
)

_WORK: Final = Section(
    "Work",
    (
        Panel(
            "Transactions",
            "committed, by database",
            Unit.PER_SECOND,
            (Query(rate("pg_stat_database_xact_commit", "datname", _OURS), "{{datname}}"),),
        ),
        Panel(
            "Rolled back",
            "by database; retries after a lost race are among them",
            Unit.PER_SECOND,
            (Query(rate("pg_stat_database_xact_rollback", "datname", _OURS), "{{datname}}"),),
        ),
        Panel(
            "Rows written",
            "inserted, updated, deleted",
            Unit.PER_SECOND,
            (
                Query(rate("pg_stat_database_tup_inserted", "datname", _OURS), "{{datname}}: inserted"),
                Query(rate("pg_stat_database_tup_updated", "datname", _OURS), "{{datname}}: updated"),
                Query(rate("pg_stat_database_tup_deleted", "datname", _OURS), "{{datname}}: deleted"),
            ),
        ),
        Panel(
            "Connections",
            "by state; idle in transaction for long is a bug",
            Unit.COUNT,
            (Query("sum by (state) (pg_stat_activity_count)", "{{state}}"),),
            stacked=True,
        ),
        Panel(
            "Read from memory",
            "share of blocks that were found in the cache; below 95 % it is short of memory",
            Unit.SHARE,
            (
                Query(
                    f"sum by (datname) (rate(pg_stat_database_blks_hit{{{_OURS}}}[$__rate_interval]))"
                    f" / (sum by (datname) (rate(pg_stat_database_blks_hit{{{_OURS}}}[$__rate_interval]))"
                    f" + sum by (datname) (rate(pg_stat_database_blks_read{{{_OURS}}}[$__rate_interval])))",
                    "{{datname}}",
                ),
            ),
        ),
        Panel(
            "Locks",
            "held or waited for, by mode",
            Unit.COUNT,
            (Query("sum by (mode) (pg_locks_count)", "{{mode}}"),),
        ),
    ),
)

_TROUBLE: Final = Section(
    "Room and trouble",
    (
        Panel(
            "Size of the databases",
            "in bytes",
            Unit.BYTES,
            (Query(f"max by (datname) (pg_database_size_bytes{{{_OURS}}})", "{{datname}}"),),
        ),
        Panel(
            "Deadlocks and temporary files",
            "deadlocks in the last hour; bytes of sorts that did not fit into memory",
            Unit.COUNT,
            (
                Query(
                    f"sum by (datname) (increase(pg_stat_database_deadlocks{{{_OURS}}}[1h]))",
                    "{{datname}}: deadlocks",
                ),
                Query(
                    f"sum by (datname) (rate(pg_stat_database_temp_bytes{{{_OURS}}}[$__rate_interval]))",
                    "{{datname}}: bytes/s",
                ),
            ),
        ),
        Panel(
            "WAL archive",
            "segments that were archived, and tries that failed, in the last hour",
            Unit.COUNT,
            (
                Query("sum(increase(pg_stat_archiver_archived_count[1h]))", "archived"),
                Query("sum(increase(pg_stat_archiver_failed_count[1h]))", "failed"),
            ),
        ),
    ),
)

POSTGRES: Final = Dashboard("postgresql", "PostgreSQL", (_NOW, _WORK, _TROUBLE), since="now-3h")
