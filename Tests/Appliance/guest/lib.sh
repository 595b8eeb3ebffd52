# Helpers for the steps of a scenario in the guest; sourced, not run.
# shellcheck shell=bash
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
cd /mnt/test/guest || exit 99

# Seconds since the guest booted, by its own clock.
now() { awk '{ print $1 }' /proc/uptime; }
since() { awk -v from="$1" -v to="${2:-$(now)}" 'BEGIN { printf "%.2f\n", to - from }'; }

# check WORDS COMMAND…: the scenario fails if the command fails, and continues.
check() {
    local words=$1
    shift
    if "$@"; then
        echo "ok      $words"
    else
        echo "FAILED  $words"
        touch /run/failed
    fi
}

# within SECONDS COMMAND…: waits until the command succeeds. The limits are generous: they end a command that hangs,
# and judge nothing.
within() {
    local end=$(($(date +%s) + $1 * SLOW))
    shift
    until "$@" 2>/dev/null; do
        (($(date +%s) < end)) || return 1
        sleep 0.2
    done
}

# figure WORDS SECONDS [LIMIT]: prints a figure, and judges it if the product promises a limit.
figure() {
    if [[ -z ${3:-} ]]; then
        echo "figure  $1: $2 s"
    elif awk -v is="$2" -v limit="$3" -v slow="$SLOW" 'BEGIN { exit !(is != "" && is <= limit * slow) }'; then
        echo "figure  $1: $2 s (at most $3 s)"
    else
        echo "FAILED  $1: $2 s, more than $3 s times $SLOW"
        touch /run/failed
    fi
}

# on_air SOURCE: whether this source is on air; the slate is the source "slate".
on_air() { metric "streambox_source_on_air{channel=\"main\",source=\"$1\"} 1"; }
metric() { grep -qsF -- "$1" /run/streambox/streambox.prom; }
problem() { metric "streambox_problem{problem=\"$1\""; }

# saw WORDS WHAT FROM [LIMIT]: waits until the platform was shown WHAT after FROM, and prints the time as a figure.
saw() {
    if within 60 shown "$2" "$3"; then
        check "$1" true
        figure "$1" "$(since "$3" "$when")" "${4:-}"
    else
        check "$1" false
    fi
}
# Decoding the stream takes processor time of the guest, so it is not done too often.
shown() { when=$(./platform.py first "$1" "$2") || { sleep 1; return 1; }; }

# published NUMBER: whether the platform has seen this number of connections.
published() { [[ $(./platform.py publishes) = "$1" ]]; }

# one_stream [NUMBER]: the platform has seen no disconnection since the first frame, and no timestamp went backwards.
one_stream() {
    check "the platform has seen one connection" published "${1:-1}"
    check "no frame's timestamp went backwards" test "$(./platform.py backwards)" = 0
}

# plug PORT [SERIAL]: plugs in a USB camera; pull: unplugs it.
plug() {
    modprobe -a vhci-hcd uvcvideo
    ./camera.py --port "$1" --serial "${2:-CAM1}" &
    camera=$!
}
pull() {
    kill "$camera"
    wait "$camera" 2>/dev/null || true
}

# configure: applies the configuration on standard input at once.
configure() {
    cat >/etc/streambox/streambox.yaml
    if systemctl is-active --quiet streambox; then streambox reload; else systemctl start streambox; fi
}

main_pid() { systemctl show --property MainPID --value streambox; }
restarts() { systemctl show --property NRestarts --value streambox; }
