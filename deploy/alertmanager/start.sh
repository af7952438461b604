#!/bin/sh
# Alertmanager (0.34 too) logs the address it could not reach, and Telegram's addresses carry the bot's token.
# Its log passes through here without it. It keeps its process id, so that signals reach it.
set -eu

hide_tokens() {
    while IFS= read -r line; do
        while :; do
            case $line in
            */bot[0-9]*:*/*) line="${line%%/bot[0-9]*:*}/bot***/${line#*/bot[0-9]*:*/}" ;;
            *) break ;;
            esac
        done
        printf '%s\n' "$line"
    done
}

log=$(mktemp -u)
mkfifo "$log"
{
    rm "$log"
    hide_tokens
} <"$log" &
exec "${ALERTMANAGER:-alertmanager}" "$@" >"$log" 2>&1
