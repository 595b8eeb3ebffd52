# A USB camera is plugged in, pulled, freezes, and comes back in another port; the platform sees one stream.
guest <<'GUEST'
saw "without a camera the slate is on air" slate 0

from=$(now)
plug 0
saw "a camera that is plugged in is on air" camera "$from"
sleep 3

from=$(now)
pull
saw "it is pulled: the slate" slate "$from"

from=$(now)
plug 0
saw "it is back: on air" camera "$from"
sleep 3

from=$(now)
kill -USR1 "$camera"
saw "it freezes: the slate" slate "$from"
kill -USR2 "$camera"
from=$(now)
saw "it continues: on air" camera "$from"
sleep 3

from=$(now)
kill -USR1 "$camera"
saw "it freezes again: the slate" slate "$from"
saw "its port is reset: on air" camera "$when"
check "the service has reset it" grep -q 'its USB port was reset' <(journalctl --unit streambox --output cat)
sleep 3

from=$(now)
pull
saw "it is pulled again: the slate" slate "$from"
from=$(now)
plug 5
saw "it is back in another port: on air" camera "$from"
check "the link by its serial exists" test -e /dev/streambox/capture/by-serial/CAM1
one_stream
check "the service is the same process" test "$(restarts)" = 0
pull
GUEST
