# The unit is started on a box that runs: a picture at the platform within five seconds.
guest <<'GUEST'
saw "on air" slate 0
systemctl stop streambox
sleep 2
from=$(now)
systemctl start --no-block streambox
saw "the unit is started, until the platform has a picture" any "$from" 5
GUEST
