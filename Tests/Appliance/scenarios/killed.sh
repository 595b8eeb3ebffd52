# The daemon is killed outright: systemd starts it again.
guest <<'GUEST'
saw "on air" slate 0
sleep 3
children=$(pgrep -P "$(main_pid)" | tr '\n' ' ')
from=$(now)
kill -KILL "$(main_pid)"
# The second publish counts: a frame of the first may have been on its way before the kill.
again() { when=$(./platform.py begins 2); }
check "killed: on air again" within 60 again
figure "killed: on air again" "$(since "$from" "$when")" 3
check "systemd has started it once more" test "$(restarts)" = 1
for child in $children; do check "its process $child ended with it" test ! -e "/proc/$child"; done
GUEST
