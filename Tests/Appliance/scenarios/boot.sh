# Switched on, nobody logs in: the platform gets a picture.
guest <<'GUEST'
saw "the platform is shown the slate without anybody logging in" slate 0
check "nobody is logged in" test -z "$(loginctl --no-legend list-sessions)"
check "every unit is well" test -z "$(systemctl --failed --no-legend)"
one_stream
megabytes=$(awk '/^VmRSS:/ { printf "%.1f", $2 / 1024 }' "/proc/$(main_pid)/status")
echo "figure  the daemon's memory: $megabytes MB (at most 30 MB)"
check "the daemon takes at most 30 MB" awk "BEGIN { exit !($megabytes <= 30) }"
GUEST
