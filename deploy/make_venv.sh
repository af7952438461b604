#!/bin/sh
# Create the virtual environment "$1" with the first Python >= 3.11 there is. PYTHON=... names one.
set -eu

venv=$1
if "$venv/bin/python" -m pip --version >/dev/null 2>&1; then exit 0; fi

new_enough='import sys; sys.exit(sys.version_info < (3, 11))'
python=
for name in ${PYTHON:-python3.13 python3.12 python3.11 python3 python}; do
    if "$name" -c "$new_enough" >/dev/null 2>&1; then python=$name; break; fi
done
if [ -z "$python" ]; then
    echo "Python 3.11 or newer is needed and was not found; install it, or name it: make PYTHON=/path/to/python" >&2
    exit 2
fi

echo "Creating $venv with $("$python" --version)"
rm -rf "$venv"
if ! said=$("$python" -m venv "$venv" 2>&1); then
    rm -rf "$venv"
    echo "$python cannot create a virtual environment; on Debian and Ubuntu: apt install python3-venv" >&2
    echo "$said" | tail -n 3 >&2
    exit 2
fi
