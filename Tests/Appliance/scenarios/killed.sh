# The daemon is killed outright: systemd starts it again.
guest <<'GUEST'
saw "on air" slate 0
sleep 3
children=$(pgrep -P "$(main_pid)" | tr '\n' ' ')
from=$(now)
kill -KILL "$(main_pid)"
saw "killed: on air again" any "$from" 3
# The first may have been on its way before the blow.
check "by another publisher" within 30 published 2
check "systemd has started it once more" test "$(restarts)" = 1
for child in $children; do check "its process $child has gone with it" test ! -e "/proc/$child"; done
GUEST
