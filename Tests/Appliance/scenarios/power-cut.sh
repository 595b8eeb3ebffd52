# The power is cut while the box records.
guest <<'GUEST'
saw "on air" slate 0
tape='          - { name: tape, record: { folder: /var/lib/streambox/tape, segment: 10s } }'
sed -i "/name: platform/a\\$tape" /etc/streambox/streambox.yaml
check "a recording is added" streambox reload
segments() { find /var/lib/streambox/tape -name '*.ts' | sort; }
three() { (($(segments | wc -l) >= 3)); }
check "there are segments" within 120 three
# The service writes the last one to the disk every five seconds.
settled() { last=$(segments | tail -n 1) && (($(date +%s) - $(stat --format %W "$last") >= 7)); }
check "the last one has begun" within 60 settled
# The hashes of the finished segments, and the size of the last one, stored outside the guest.
segments | grep --fixed-strings --line-regexp --invert-match "$last" | xargs sha256sum >/mnt/test/finished
stat --format '%n %s' "$last" >/mnt/test/last
GUEST
power_off

boot
guest <<'GUEST'
saw "power is back: on air without a login" slate 0
check "every finished segment is whole" sha256sum --check --quiet /mnt/test/finished
read -r last bytes </mnt/test/last
check "the last one exists" test -e "$last"
echo "        of $bytes bytes of the last segment $(stat --format %s "$last" || echo 0) are on the disk"
check "it can be played" ffmpeg -v quiet -nostdin -i "$last" -map 0 -c copy -f null -
newer() { [[ -n $(find /var/lib/streambox/tape -name '*.ts' -newer "$last") ]]; }
check "the recording continues" within 60 newer
GUEST
