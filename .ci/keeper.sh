# shellcheck shell=bash
# A program that is kept up: started again when it ends by itself, with a sentence that says how it
# ended, but not for ever. Sourced by ./run.

restarts_max=5       # within
restart_window_s=60  # this long; a program that ends oftener is given up
restart_pause_s=1
log_lines_shown=5
watch_interval_s=1

declare -A process=()  # name → pid of its keeper

# how_it_ended STATUS: in words.
how_it_ended() {
  if [ "$1" -gt 128 ] && kill -l $(($1 - 128)) >/dev/null 2>&1; then
    printf 'killed by SIG%s (status %d)' "$(kill -l $(($1 - 128)))" "$1"
  else
    printf 'status %d' "$1"
  fi
}

# last_lines LOG: indented, so that they can be told from our own words.
last_lines() { tail -n "$log_lines_shown" "$1" | sed 's/^/    /'; }

# keep NAME LOG FLAG COMMAND...: runs the command with its output appended to LOG until this shell gets
# SIGTERM, which is passed on; then, and whenever it gives up, exits with the command's last status.
# Only while the file FLAG is there is the command started again: a program that does not even come up
# is better looked at. Run it in the background; it says on standard output what happens.
keep() {
  local name=$1 log=$2 flag=$3 child='' stopping=0 status restarts=() recent at
  shift 3
  exec 2>/dev/null  # bash's own words about children that a signal ended
  trap : INT        # Ctrl-C goes to the whole group; whoever started us decides what it means
  trap 'stopping=1; [ -z "$child" ] || kill -TERM "$child" || true' TERM
  while :; do
    # In a session of its own, so that Ctrl-C does not reach it.
    setsid "$@" >>"$log" 2>&1 &
    child=$!
    if [ "$stopping" = 1 ]; then kill -TERM "$child" || true; fi  # it came just before
    # A trapped signal ends the wait early.
    while :; do
      status=0
      wait "$child" || status=$?
      kill -0 "$child" || break
    done
    child=
    if [ "$stopping" = 1 ] || [ ! -e "$flag" ]; then exit "$status"; fi
    recent=()
    for at in "${restarts[@]}"; do if ((SECONDS - at < restart_window_s)); then recent+=("$at"); fi; done
    restarts=("${recent[@]}" "$SECONDS")
    printf '%s ended by itself, %s; ' "$name" "$(how_it_ended "$status")"
    if ((${#restarts[@]} > restarts_max)); then
      printf 'it was started again %d times within %d s already. The last lines of %s:\n' \
        "$restarts_max" "$restart_window_s" "$log"
    else
      printf 'starting it again (%d of %d times within %d s). The last lines of %s:\n' \
        "${#restarts[@]}" "$restarts_max" "$restart_window_s" "$log"
    fi
    last_lines "$log"
    if ((${#restarts[@]} > restarts_max)); then exit "$((status == 0 ? 1 : status))"; fi
    sleep "$restart_pause_s"
    if [ "$stopping" = 1 ]; then exit 0; fi
  done
}

# watch_over NAME: returns when the program NAME, or every other one of `process`, could not be kept
# up; its keeper said why. One of the others that is given up leaves the rest alone.
watch_over() {
  local name
  while [ -n "${process[$1]:-}" ] && ((${#process[@]} > 1)); do
    for name in "${!process[@]}"; do
      if kill -0 "${process[$name]}" 2>/dev/null; then continue; fi
      unset "process[$name]"
      printf '%s is given up; Ctrl-C and ./run start it again\n' "$name"
    done
    sleep "$watch_interval_s" &
    wait $! || true
  done
}
