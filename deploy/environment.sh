#!/bin/sh
# Make .venv and install what a lock file names, when that lock changed since the last time.
# usage: deploy/environment.sh requirements.lock|requirements-dev.lock      (from the project's root)
#
# Where packages come from is pip's own configuration; nothing here names an index. The lock's hashes decide what is
# accepted. The project itself is not built: a .pth file names its source roots, which is what an editable install does.
set -eu
lock=$1
PYTHON=${PYTHON:-}

complain() {
    echo "credledger: $*" >&2
    exit 2
}

suits() {
    command -v "$1" >/dev/null 2>&1 && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

# pip's script is the last thing that venv writes: without it an earlier attempt was interrupted.
if [ ! -x .venv/bin/python ] || [ ! -x .venv/bin/pip ]; then
    for candidate in $PYTHON python3 python3.13 python3.12 python3.11; do
        if suits "$candidate"; then
            found=$candidate
            break
        fi
    done
    [ -n "${found:-}" ] || complain "Python 3.11 or newer is needed and was not found. Install it, or name one: PYTHON=/path/to/python3.11 make run"
    "$found" -c 'import ensurepip, venv' 2>/dev/null ||
        complain "$found has no venv module. On Debian and Ubuntu: apt install python3-venv"
    echo "credledger: making .venv with $("$found" --version)"
    "$found" -m venv --clear .venv
fi

stamp=.venv/$lock
if ! cmp -s "$lock" "$stamp"; then
    echo "credledger: installing the packages of $lock (once; about a minute)"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes --no-deps --requirement "$lock"
    cp "$lock" "$stamp.new"
    mv "$stamp.new" "$stamp"
    # The development lock is a superset with the same versions (see `make lock`), so it serves both.
    [ "$lock" = requirements.lock ] || cp requirements.lock .venv/requirements.lock
fi

packages=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
root=$(pwd)
if ! printf '%s\n' "$root/shared" "$root/services" | cmp -s - "$packages/credledger.pth"; then
    printf '%s\n' "$root/shared" "$root/services" >"$packages/credledger.pth"
fi
if [ ! -x .venv/bin/credledger ]; then
    cat >.venv/bin/credledger <<'LAUNCHER'
#!/bin/sh
exec "$(dirname "$(readlink -f "$0" 2>/dev/null || echo "$0")")/python" -P -m ledger.cli "$@"
LAUNCHER
    chmod 755 .venv/bin/credledger
fi
