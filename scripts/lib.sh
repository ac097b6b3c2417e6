# shellcheck shell=bash
# What the scripts share: where things lie, and how to start and stop a database and the server. To be sourced.
# Moves to the top of the repository. The script that sources it calls stop_all when it ends.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target"
target=$(cd "$target" && pwd)
export tools=$target/tools # see scripts/install-tools
PATH=$tools/node/bin:$PATH # there only where the system's Node.js is too old

# What cargo builds for the scripts. The example is there for the features that tests ask of dependencies: with a target that
# may use them, these are built once, for the server and for its tests. Without, most of them are built twice.
cargo_build=(cargo build --locked --bins --examples)

fail() {
    echo "${0##*/}: $*" >&2
    exit 1
}

# own_target: sets CARGO_TARGET_DIR to a new folder for a build of a copy of the sources; it holds, by hard links, what is
# built of other people's crates. Two checkouts must not share one: cargo takes the crates of a workspace for those of
# the other, and what it built there for fresh.
own_target() {
    CARGO_TARGET_DIR=$(mktemp -d "$target/copy.XXXXXX")
    export CARGO_TARGET_DIR
    if [[ -d $target/debug ]]; then
        # Not every cp knows links.
        cp -al "$target/debug" "$CARGO_TARGET_DIR" 2>/dev/null || cp -a "$target/debug" "$CARGO_TARGET_DIR"
        cargo clean --quiet --locked --workspace
    fi
}

# start_postgres [--durable]: starts a throwaway cluster and sets postgres_url. It is gone when this process is.
start_postgres() {
    coproc POSTGRES { exec scripts/throwaway-postgres "$@"; }
    postgres_pid=$!
    IFS= read -r postgres_url <&"${POSTGRES[0]-}" || fail 'PostgreSQL did not start'
}

stop_postgres() {
    [[ -n ${postgres_pid-} ]] || return 0
    kill "$postgres_pid" 2>/dev/null || true
    wait "$postgres_pid" 2>/dev/null || true
    postgres_pid=
}

# build_server: sets server to the binary to run: $WEB_SERVER where that is set, or else what cargo builds.
build_server() {
    server=${WEB_SERVER-}
    if [[ -z $server ]]; then
        "${cargo_build[@]}"
        server=$target/debug/web_server
    fi
}

# start_server DATABASE [--durable]: starts the server on a fresh database, "sqlite" or "postgres", waits until it answers,
# and sets server_url and server_log. Only what is named here reaches it from this environment, and no .env file. The
# deadlines are long: a machine that is busy with the client too must not fail a test. Nor is the client limited.
start_server() {
    local database_url
    folder=$(mktemp -d "${TMPDIR:-/tmp}/web_server.XXXXXX")
    case $1 in
        sqlite) database_url=sqlite://$folder/users.db ;;
        postgres)
            start_postgres "${@:2}"
            database_url=$postgres_url
            ;;
    esac
    server_log=$folder/server.log
    : >"$server_log"
    (
        cd "$folder"
        exec env -i PATH="$PATH" LISTEN_ADDR=127.0.0.1:0 DATABASE_URL="$database_url" LOG_FORMAT=json \
            REQUEST_TIMEOUT=10s DATABASE_ACQUIRE_TIMEOUT=10s RATE_LIMIT=off "$server"
    ) >"$server_log" 2>&1 </dev/null &
    server_pid=$!
    for _ in {1..100}; do
        # Its first line says which port it took.
        server_url=$(grep -m 1 -oE 'http://127\.0\.0\.1:[0-9]+' "$server_log" | head -n 1 || true)
        if [[ -n $server_url ]] && curl --fail --silent --max-time 1 --output /dev/null "$server_url/health"; then
            return
        fi
        kill -0 "$server_pid" 2>/dev/null || break
        sleep 0.1
    done
    cat "$server_log" >&2
    fail "the server did not start on $1"
}

# stop_server: asks the server to stop as an orchestrator would, and fails unless it did so in order and had logged
# neither an error nor a panic.
stop_server() {
    local status=0
    kill -TERM "$server_pid" 2>/dev/null || true
    for _ in {1..300}; do
        kill -0 "$server_pid" 2>/dev/null || break
        sleep 0.1
    done
    kill -KILL "$server_pid" 2>/dev/null && echo 'The server did not stop within 30 seconds of SIGTERM.' >&2
    wait "$server_pid" || status=$?
    server_pid=
    if ((status != 0)); then
        tail -n 20 "$server_log" >&2
        fail "the server ended with exit code $status"
    fi
    if grep -iE -m 20 '"level": ?"error"|panicked at' "$server_log" >&2; then
        fail 'the server logged errors'
    fi
}

# stop_all: for `trap stop_all EXIT`; stops what is still running when a script fails or is told to end.
stop_all() {
    if [[ -n ${server_pid-} ]]; then
        kill -KILL "$server_pid" 2>/dev/null || true
        wait "$server_pid" 2>/dev/null || true
    fi
    stop_postgres
    pkill -P $$ || true # a program in the foreground outlives a shell that is killed
    rm -rf ${folder:+"$folder"}
}
