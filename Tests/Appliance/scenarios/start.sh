# The unit is started on a box that runs: video at the platform within five seconds.
guest <<'GUEST'
saw "on air" slate 0
systemctl stop streambox
sleep 2
from=$(now)
systemctl start --no-block streambox
saw "the unit is started, until the platform receives video" any "$from" 5
# The log lines since then show where the time went.
journalctl --unit streambox --output short-monotonic --no-pager |
    awk -F '[][]' -v from="$from" '$2 >= from { printf "        %6.2f s %s\n", $2 - from, substr($0, index($0, $3)) }' |
    cut -c 1-200
GUEST
