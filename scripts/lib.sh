# shellcheck shell=bash
# Shared by the scripts: folders, and functions that start and stop a database and the server. To be sourced. Changes to the
# top level of the repository. A script that starts something calls stop_all when it ends.
set -euo pipefail

# --help prints the comment at the top of the script.
case ${1-} in
    --help | -h) sed -n '2,/^set /{/^set /d; /^# shellcheck/d; s/^# \{0,1\}//p}' "$0" && exit ;;
esac

cd "$(dirname "${BASH_SOURCE[0]}")/.."
target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target"
target=$(cd "$target" && pwd)
export tools=$target/tools # see scripts/install-tools
PATH=$tools/node/bin:$PATH # exists only where the system's Node.js is too old

# The build command of the scripts. `--examples` makes cargo unify the features with those of the dev-dependencies, so that
# the server and its tests share one build of most dependencies.
cargo_build=(cargo build --locked --bins --examples)

fail() {
    echo "${0##*/}: $*" >&2
    exit 1
}

# own_target: sets CARGO_TARGET_DIR to a new folder for a build of a copy of the sources, with hard links to the compiled
# dependencies. Two checkouts must not share a target folder: cargo would mistake the workspace crates of one for those of
# the other.
own_target() {
    CARGO_TARGET_DIR=$(mktemp -d "$target/copy.XXXXXX")
    export CARGO_TARGET_DIR
    if [[ -d $target/debug ]]; then
        # Not every cp supports -l.
        cp -al "$target/debug" "$CARGO_TARGET_DIR" 2>/dev/null || cp -a "$target/debug" "$CARGO_TARGET_DIR"
        cargo clean --quiet --locked --workspace
    fi
}

# end_process PID [SIGNAL]: ends a process of this script, if it still runs. Its exit code is then that of the signal.
end_process() {
    if kill -"${2-TERM}" "$1" 2>/dev/null; then
        wait "$1" 2>/dev/null || return 0
    fi
}

# start_postgres: starts a temporary cluster and sets postgres_url. The cluster ends with this process.
start_postgres() {
    coproc POSTGRES { exec scripts/throwaway-postgres; }
    postgres_pid=$!
    IFS= read -r postgres_url <&"${POSTGRES[0]-}" || fail 'PostgreSQL did not start'
}

stop_postgres() {
    [[ -n ${postgres_pid-} ]] || return 0
    end_process "$postgres_pid"
    postgres_pid=
}

# build_server: sets server to the binary to run: $WEB_SERVER if set, otherwise the binary that it builds.
build_server() {
    server=${WEB_SERVER-}
    if [[ -z $server ]]; then
        "${cargo_build[@]}"
        server=$target/debug/web_server
    fi
}

# new_key: makes an API key with every scope of the contract. Sets key to it, and key_entry to what the server has to know.
new_key() {
    local scope made arguments=()
    while read -r scope; do
        arguments+=(--scope "$scope")
    done < <("$server" openapi --form yaml | sed -n 's/^ *- bearerAuth: \[\(..*\)\]$/\1/p' | tr -s ', ' '\n' | sort -u)
    made=$("$server" keys new --name "${0##*/}" "${arguments[@]}")
    # shellcheck disable=SC2034 # for the script that sources this
    key=${made%%$'\n'*} key_entry=${made#*$'\n'}
}

# start_server DATABASE [VARIABLE=VALUE]...: starts the server on a new database, "sqlite" or "postgres", waits until it
# responds, and sets server_url and server_log. The server gets only these variables and reads no .env file: without API_KEYS
# or API_KEYS_FILE it needs no credentials. Deadlines are long, because the machine is also busy with the client, and the rate
# limit is off.
start_server() {
    local database=$1 database_url
    shift
    folder=$(mktemp -d "${TMPDIR:-/tmp}/web_server.XXXXXX")
    case $database in
        sqlite) database_url=sqlite://$folder/users.db ;;
        postgres)
            start_postgres
            database_url=$postgres_url
            ;;
    esac
    server_log=$folder/server.log
    : >"$server_log"
    (
        cd "$folder"
        exec env -i PATH="$PATH" LISTEN_ADDR=127.0.0.1:0 DATABASE_URL="$database_url" LOG_FORMAT=json \
            REQUEST_TIMEOUT=10s RATE_LIMIT=off CALLER_RATE_LIMIT=off "$@" "$server"
    ) >"$server_log" 2>&1 </dev/null &
    server_pid=$!
    for _ in {1..100}; do
        # The first log line contains the port.
        if server_url=$(grep -m 1 -oE 'http://127\.0\.0\.1:[0-9]+' "$server_log" | head -n 1) &&
            curl --fail --silent --max-time 1 --output /dev/null "$server_url/health"; then
            return
        fi
        kill -0 "$server_pid" 2>/dev/null || break
        sleep 0.1
    done
    cat "$server_log" >&2
    fail "the server did not start on $database"
}

# stop_server: stops the server with SIGTERM, and fails unless it still runs, exits with 0 within 30 seconds, and has
# logged neither an error nor a panic.
stop_server() {
    local status=0
    kill -TERM "$server_pid" || {
        tail -n 20 "$server_log" >&2
        fail 'the server ended before it was stopped'
    }
    for _ in {1..300}; do
        kill -0 "$server_pid" 2>/dev/null || break
        sleep 0.1
    done
    kill -KILL "$server_pid" 2>/dev/null && echo 'The server did not stop within 30 seconds after SIGTERM.' >&2
    wait "$server_pid" || status=$?
    server_pid=
    if ((status != 0)); then
        tail -n 20 "$server_log" >&2
        fail "the server exited with code $status"
    fi
    if grep -iE -m 20 '"level": ?"error"|panicked at' "$server_log" >&2; then
        fail 'the server logged errors'
    fi
}

# stop_all: for `trap stop_all EXIT`; stops everything that is still running when the script ends or is interrupted.
stop_all() {
    if [[ -n ${server_pid-} ]]; then end_process "$server_pid" KILL; fi
    stop_postgres
    pkill -P $$ || true # a foreground program survives its shell otherwise
    rm -rf ${folder:+"$folder"}
}
