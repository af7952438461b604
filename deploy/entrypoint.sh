#!/bin/sh
# Our programs read NAME_FILE themselves; the S3 client knows only the environment.
set -eu
if [ -s "${AWS_ACCESS_KEY_ID_FILE:-}" ] && [ -s "${AWS_SECRET_ACCESS_KEY_FILE:-}" ]; then
    AWS_ACCESS_KEY_ID=$(cat "$AWS_ACCESS_KEY_ID_FILE")
    AWS_SECRET_ACCESS_KEY=$(cat "$AWS_SECRET_ACCESS_KEY_FILE")
    export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
fi
exec "$@"
