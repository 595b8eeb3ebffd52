# The box is switched on, without a login: the platform gets the slate.
guest <<'GUEST'
saw "the platform is shown the slate without a login" slate 0
check "no user is logged in" test -z "$(loginctl --no-legend list-sessions)"
check "no unit has failed" test -z "$(systemctl --failed --no-legend)"
one_stream
megabytes=$(awk '/^VmRSS:/ { printf "%.1f", $2 / 1024 }' "/proc/$(main_pid)/status")
echo "figure  the daemon's memory: $megabytes MB (at most 30 MB)"
check "the daemon takes at most 30 MB" awk "BEGIN { exit !($megabytes <= 30) }"
GUEST
