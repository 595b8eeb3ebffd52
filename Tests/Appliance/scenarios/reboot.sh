# After a reboot the wanted states are as the operator left them.
guest <<'GUEST'
saw "on air" slate 0
tape='          - { name: tape, record: { folder: /var/lib/streambox/tape, segment: 10s } }'
sed -i "/name: platform/a\\$tape" /etc/streambox/streambox.yaml
check "a second target is added" streambox reload
recording() { compgen -G '/var/lib/streambox/tape/*.ts' >/dev/null; }
check "it records" within 60 recording
check "it is stopped" streambox target stop tape
find /var/lib/streambox/tape | sort >/root/before
boot_id=$(cat /proc/sys/kernel/random/boot_id)
echo "$boot_id" >/mnt/test/boot
GUEST
shut_down reboot

boot
guest <<'GUEST'
check "it has rebooted" test "$(cat /proc/sys/kernel/random/boot_id)" != "$(cat /mnt/test/boot)"
saw "rebooted: on air without a login" slate 0
sleep 5
check "the stopped target is stopped" metric 'target="tape",state="stopped"} 1'
check "it has recorded nothing since" diff /root/before <(find /var/lib/streambox/tape | sort)
check "it can be started" streambox target start tape
more() { ! diff -q /root/before <(find /var/lib/streambox/tape | sort) >/dev/null; }
check "it records again" within 60 more
GUEST
