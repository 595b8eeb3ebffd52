# The daemon hangs: systemd notices, kills it and starts it again.
guest <<'GUEST'
saw "on air" slate 0
sleep 3
from=$(now)
kill -STOP "$(main_pid)"
started_again() { [[ $(restarts) = 1 ]] && systemctl is-active --quiet streambox; }
check "systemd starts it again" within 90 started_again
check "because the watchdog was not notified" grep -q 'Watchdog timeout' <(journalctl --unit streambox --output cat)
check "on air by another publisher" within 30 published 2
figure "hung, until the platform receives video again" "$(./platform.py pause "$from")"
GUEST
