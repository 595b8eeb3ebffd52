# The mains plug is pulled while the box records.
guest <<'GUEST'
saw "on air" slate 0
tape='          - { name: tape, record: { folder: /var/lib/streambox/tape, segment: 10s } }'
sed -i "/name: platform/a\\$tape" /etc/streambox/streambox.yaml
check "a recording" streambox reload
segments() { find /var/lib/streambox/tape -name '*.ts' | sort; }
three() { (($(segments | wc -l) >= 3)); }
check "there are segments" within 120 three
# What is written of the last one is brought to the disk every five seconds.
settled() { last=$(segments | tail -n 1) && (($(date +%s) - $(stat --format %W "$last") >= 7)); }
check "the last one has begun" within 60 settled
# What is finished, and how far the last one is: told where the power cut cannot reach.
segments | grep --fixed-strings --line-regexp --invert-match "$last" | xargs sha256sum >/mnt/test/finished
stat --format '%n %s' "$last" >/mnt/test/last
GUEST
power_off

boot
guest <<'GUEST'
saw "power is back: on air without anybody logging in" slate 0
check "every finished segment is whole" sha256sum --check --quiet /mnt/test/finished
read -r last bytes </mnt/test/last
check "the last one is there" test -e "$last"
echo "        of $bytes bytes in the last segment $(stat --format %s "$last" || echo 0) are there"
check "what there is can be played" ffmpeg -v quiet -nostdin -i "$last" -map 0 -c copy -f null -
newer() { [[ -n $(find /var/lib/streambox/tape -name '*.ts' -newer "$last") ]]; }
check "it records on" within 60 newer
GUEST
