# Only when asked for: an hour on air with a camera that comes and goes, and the daemon's memory.
memory() {
    guest <<GUEST
megabytes=\$(awk '/^VmRSS:/ { printf "%.1f", \$2 / 1024 * 1.048576 }' "/proc/\$(main_pid)/status")
echo "figure  the daemon's memory $1: \$megabytes MB (at most 30 MB)"
check "the daemon takes at most 30 MB $1" awk "BEGIN { exit !(\$megabytes <= 30) }"
check "it is the process that was started first" test "\$(restarts)" = 0
GUEST
}
guest <<<'saw "on air" slate 0'
memory "at first"
for minute in 10 20 30 40 50 60; do
    sleep 540
    guest <<'GUEST'
plug 0
check "a camera comes: on air" within 60 on_air capture-0
sleep 20
pull
check "it goes: the slate" within 60 on_air slate
GUEST
    memory "after $minute minutes"
done
guest <<<'one_stream'
