# For scripts that need servers of their own: `start_server SERVER NAME` starts a standalone server on free ports
# with a folder in "$dir", and sets `listen`, `admin` and `server_pid`. All end with the script; logs of one
# that failed stay. Settings come from the environment (THRONG_...).

app=1400000001:key-of-a-load-test
dir=$(mktemp -d)
pids=()

finish() {
  local status=$? pid
  trap - EXIT
  for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  if [ "$status" = 0 ]; then
    rm -rf "$dir"
  else
    echo "the servers' logs: $dir" >&2
    rm -rf "$dir"/*/data
  fi
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

start_server() {
  local server=$1 own=$dir/$2 ready=
  mkdir -p "$own"
  # Looked into before the server has come to make it.
  : >"$own/out"
  "$server" standalone --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 --data-dir "$own/data" --app "$app" \
    >"$own/out" 2>"$own/log" &
  server_pid=$!
  pids+=("$server_pid")
  for _ in $(seq 300); do
    ready=$(sed -n 's/^ready //p' "$own/out")
    [ -z "$ready" ] || break
    kill -0 "$server_pid" 2>/dev/null || { echo 'the server does not start:' >&2; cat "$own/log" >&2; exit 70; }
    sleep 0.1
  done
  [ -n "$ready" ] || { echo 'the server is not ready after 30 s' >&2; exit 70; }
  listen=$(sed 's/.*listen=\([^ ]*\).*/\1/' <<<"$ready")
  admin=$(sed 's/.*admin=\([^ ]*\).*/\1/' <<<"$ready")
}

# Ends the server that was started last, and waits until it has.
stop_server() {
  kill -TERM "$server_pid"
  wait "$server_pid" || { echo "the server ended with $?" >&2; exit 1; }
}
