#!/bin/sh
# Makes the files that docker-compose.yml hands to the containers, in ./secrets or in the folder "$1".
# Whatever is there stays as it is: run it again after each upgrade. It ends with what a person has to fill in.
set -eu

# Containers read this folder as users of their own, whatever the umask of the last `git pull` was. Where it belongs
# to somebody else it is left as it is.
here=$(dirname "$0")
chmod -R go+rX "$here" 2>/dev/null || :

folder=${1:-$here/../secrets}
mkdir -p "$folder"
cd "$folder"
chmod 700 .  # here nobody else gets in; each container sees its own files only, as a user of its own

hex() { head -c "$1" /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }

keep() {  # NAME VALUE
    [ -e "$1" ] || printf '%s' "$2" >"$1"
}

login() {  # NAME of the file with an address, LOGIN, NAME of the file with its password, DATABASE
    keep "$1" "postgresql://$2:$(cat "$3")@postgres:5432/$4"
}

for name in postgres_password owner_password program_password temporal_password monitor_password \
    backup_password grafana_password; do
    keep "$name" "$(hex 24)"
done
login database_url neurocards_program program_password neurocards
login database_owner_url neurocards owner_password neurocards
login backup_database_url neurocards_backup backup_password postgres

keep temporal_payload_key "$(date +%Y-%m):$(head -c 32 /dev/urandom | base64 | tr -d '\n')"
for name in codec_token kie_webhook_secret telegram_webhook_secret s3_secret_key; do
    keep "$name" "$(hex 24)"
done
keep s3_access_key "$(hex 10)"

by_hand="bot_token kie_api_key alert_chat_id"
by_choice="openai_api_key deadman_url"
for number in 1 2 3 4 5 6 7 8 9 10; do by_choice="$by_choice kie_api_key_$number"; done
for name in $by_hand $by_choice; do
    [ -e "$name" ] || : >"$name"
done
chmod 644 ./*

echo "Secrets are in $(pwd)."
for name in $by_hand; do
    [ -s "$name" ] || echo "Fill in: $name"
done
for name in openai_api_key deadman_url; do
    [ -s "$name" ] || echo "Fill in if you have it: $name"
done
