# For what a scenario does in the guest; sourced, not run.
# shellcheck shell=bash
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
cd /mnt/test/guest || exit 99

# Seconds since the guest booted, by its own clock.
now() { awk '{ print $1 }' /proc/uptime; }
since() { awk -v from="$1" -v to="${2:-$(now)}" 'BEGIN { printf "%.2f\n", to - from }'; }

# check WORDS COMMAND…: what should be so; the scenario fails where it is not, and goes on.
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

# within SECONDS COMMAND…: waits until the command succeeds. Limits are
# generous: they end what hangs, and judge nothing.
within() {
    local end=$(($(date +%s) + $1 * SLOW))
    shift
    until "$@" 2>/dev/null; do
        (($(date +%s) < end)) || return 1
        sleep 0.2
    done
}

# figure WORDS SECONDS [LIMIT]: said, and judged where the product promises a limit.
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

# Is this source on air, and the slate being "slate"?
on_air() { metric "streambox_source_on_air{channel=\"main\",source=\"$1\"} 1"; }
metric() { grep -qsF -- "$1" /run/streambox/streambox.prom; }
problem() { metric "streambox_problem{problem=\"$1\""; }

# saw WORDS WHAT FROM [LIMIT]: the platform was shown this after FROM,
# which is waited for; the time that it took is a figure.
saw() {
    if within 60 shown "$2" "$3"; then
        check "$1" true
        figure "$1" "$(since "$3" "$when")" "${4:-}"
    else
        check "$1" false
    fi
}
# Decoding what was sent takes the guest's time: not too often.
shown() { when=$(./platform.py first "$1" "$2") || { sleep 1; return 1; }; }

# Has the platform seen so many connections?
published() { [[ $(./platform.py publishes) = "$1" ]]; }

# One stream from its first picture on: the platform has seen no disconnection, and no time go backwards.
one_stream() {
    check "the platform has seen one connection" published "${1:-1}"
    check "no picture's time went backwards" test "$(./platform.py backwards)" = 0
}

# plug PORT [SERIAL]: a USB camera; pull: its plug.
plug() {
    modprobe -a vhci-hcd uvcvideo
    ./camera.py --port "$1" --serial "${2:-CAM1}" &
    camera=$!
}
pull() {
    kill "$camera"
    wait "$camera" 2>/dev/null || true
}

# configure: the configuration on standard input, taken at once.
configure() {
    cat >/etc/streambox/streambox.yaml
    if systemctl is-active --quiet streambox; then streambox reload; else systemctl start streambox; fi
}

main_pid() { systemctl show --property MainPID --value streambox; }
restarts() { systemctl show --property NRestarts --value streambox; }
