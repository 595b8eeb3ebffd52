#!/bin/bash
# Tests two packages of streambox, in first/ and second/: installs, runs, upgrades, removes and purges them. Runs as
# root in a Debian with systemd as its first process. Prints a line for each check; the exit status is the number of
# checks that failed. `check` and `within` call the functions below by name, which shellcheck does not see as a call.
# shellcheck disable=SC2317,SC2329
cd "$(dirname "$0")" || exit 99
failed=0
slow=${STREAMBOX_TEST_SLOW:-1}
folder=/etc/streambox
configuration=$folder/streambox.yaml

check() {
    local name=$1
    shift
    if "$@" >output 2>&1; then
        echo "ok    $name (at $SECONDS s)"
    else
        echo "FAIL  $name (at $SECONDS s)"
        failed=$((failed + 1))
        tail -n 5 output
        journalctl --quiet --unit streambox.service --since "@$since" --output cat | tail -n 5
    fi
}
within() {
    local end=$((SECONDS + $1 * slow))
    shift
    while ! "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.2
    done
}
not() { ! "$@"; }
property() { systemctl show --property="$1" --value streambox.service; }
# is PROPERTY PATTERN: compares as `case` does.
# shellcheck disable=SC2053
is() { [[ $(property "$1") == $2 ]]; }
main() { property MainPID; }
said() { journalctl --quiet --unit streambox.service --since "@$since" --output cat | grep -q -- "$1"; }
mark() { since=$(date +%s.%N | cut -c 1-14); }
shows() { streambox status --json | python3 -c "import json, sys
status = json.load(sys.stdin)
sys.exit(0 if ($1) else 1)"; }
get() { python3 -c "import sys, urllib.request
print(urllib.request.urlopen('http://127.0.0.1:9163$1').read().decode())"; }
# plays NAME: whether a second of the tap's stream can be decoded.
plays() {
    local frames
    frames=$(timeout 20 streambox tap "$1" | ffmpeg -v error -t 1 -i - -map 0:v -f framecrc - 2>/dev/null |
        grep -c '^0,')
    ((frames >= 10))
}
runs_as_streambox() { [[ $(ps -o user= -p "$1") == streambox ]]; }
left() {
    # udev's links belong to the simulated cards, which the kernel has not removed.
    find / /run -xdev \( -path /proc -o -path /sys -o -path /run/udev/links -o -path "$PWD" \) -prune \
        -o -iname '*streambox*' -print |
        grep -v -e '^/tmp/' -e 'streambox-test'
}
systemd_version() { systemctl --version | sed -n 's/^systemd \([0-9]*\).*/\1/p'; }
echo "      $(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release), systemd $(systemd_version)," \
    "$(ffmpeg -version | sed -n '1s/ Copyright.*//p')"

mark
check "lintian of this release finds no error" lintian --allow-root --fail-on error first/*.deb
grep '^[EW]:' output
# ---- install
cp first/*.deb /tmp/streambox.deb
check "the package installs" apt-get install --yes /tmp/streambox.deb
check "the service is on air when that is done" is ActiveState active
check "it starts with the box" systemctl --quiet is-enabled streambox.service
check "its status says which source is on air" is StatusText "main shows slate*"
check "it runs as its own user" runs_as_streambox "$(main)"
check "the slate plays" plays hd
check "every user can read the metrics file" setpriv --reuid nobody --regid nogroup --clear-groups \
    grep -q '^streambox_build_info' /run/streambox/streambox.prom
check "other users cannot open the control socket" not \
    setpriv --reuid nobody --regid nogroup --clear-groups streambox status
check "HTTP answers" within 10 get /readyz
check "the manual pages and completions are installed" test -e /usr/share/man/man1/streambox.1.gz \
    -a -e /usr/share/man/man5/streambox.yaml.5.gz -a -e /usr/share/bash-completion/completions/streambox

# ---- commands of the documents (a test compares the documents with this file)
check "systemctl shows the source on air" bash -c 'systemctl status streambox | grep "Status: .main shows slate"'
check "the journal has the start of the service" bash -c 'journalctl -u streambox | grep "msg=starting"'
check "the journal has its last lines" bash -c 'journalctl -u streambox -n 20 | grep "msg="'
check "the priorities of its lines are the journal's" not \
    bash -c 'journalctl -u streambox -p warning | grep "level=\(notice\|info\)"'
check "the kernel's messages can be read" journalctl -k
check "its sandbox can be examined" bash -c 'systemd-analyze security streambox | tail -n 1'
tail -n 1 output
check "its exposure is 2.0 or less" systemd-analyze security --threshold=20 --no-pager streambox
echo sekrit >KEYFILE
check "a stream key is installed" install -m 0600 -o streambox KEYFILE /etc/streambox/keys/twitch
check "the service reads it" setpriv --reuid streambox --clear-groups --regid streambox cat /etc/streambox/keys/twitch
check "no other user reads it" not setpriv --reuid nobody --regid nogroup --clear-groups cat /etc/streambox/keys/twitch
check "one is installed for systemd alone" install -m 0600 KEYFILE /etc/streambox/credentials/twitch
check "not even the service can read it there" not setpriv --reuid streambox --clear-groups --regid streambox \
    cat /etc/streambox/credentials/twitch
# long line: the documents have this command in one line
check "the example of credentials is installed unchanged" install -D -m 0644 /usr/share/doc/streambox/examples/credentials.conf /etc/systemd/system/streambox.service.d/credentials.conf
rm KEYFILE

# ---- the unit's type follows systemd's version
case $(systemd_version) in
    252) type=notify signal=1 ;;
    *) type=notify-reload signal=0 ;;
esac
check "the unit is of the type $type" is Type $type
check "SIGHUP is sent once" \
    test "$(systemctl show --property=ExecReload streambox.service | grep -c 'argv\[\]=/bin/kill -HUP')" = $signal
# generates VERSION: whether the generator makes a drop-in if systemctl reports this version.
generates() {
    rm -rf generator
    mkdir generator
    printf '#!/bin/sh\necho "%s"\necho "+PAM +AUDIT 300"\n' "$1" >generator/systemctl
    chmod 755 generator/systemctl
    PATH=$PWD/generator:$PATH /usr/lib/systemd/system-generators/streambox-generator \
        generator/normal generator/early generator/late || return 1
    grep -qx Type=notify-reload generator/normal/streambox.service.d/*.conf
}
for version in "252 (252.39-1~deb12u2)" "99 (99)" "" "of its own"; do
    check "systemd '$version' keeps Type=notify" not generates "systemd $version"
done
for version in "253 (253)" "257 (257.9-1~deb13u1)" "1000~rc1 (1000~rc1)"; do
    check "systemd '$version' gets Type=notify-reload" generates "systemd $version"
done

# ---- the rules, with udev's own engine and simulated cards
rules() {
    umockdev-run --device cards.umockdev -- \
        env SYSTEMD_LOG_LEVEL=debug udevadm test --action=add "/sys/devices/$1" 2>&1 | grep 70-streambox
}
# systemd 252 prints "LINK", 257 "Added SYMLINK".
links() {
    local names
    names=$(rules "$1" | sed -n "s:.*LINK 'streambox/capture/\(.*\)'$:\1:p" | paste --serial --delimiters ' ')
    [[ $names == "$2" ]]
}
usb=pci0000:00/0000:00:14.0/usb1
check "a card has its serial and its port" links $usb/1-2/1-2:1.0/video4linux/video0 \
    "by-serial/SN0001 by-path/pci-0000:00:14.0-usb-0:2:1.0"
check "a node without video has no name" links $usb/1-2/1-2:1.0/video4linux/video1 ""
check "a second input has another one" links $usb/1-2/1-2:1.0/video4linux/video2 \
    "by-serial/SN0001-2 by-path/pci-0000:00:14.0-usb-0:2:1.0-2"
check "an encoder is not a card" links platform/codec.0/video4linux/video3 ""
check "a card without a serial has its port" links pci0000:00/0000:00:1c.0/0000:02:00.0/video4linux/video4 \
    by-path/pci-0000:02:00.0
group_of() { rules "$1" | grep -q "GROUP $(getent group streambox | cut -d : -f 3)"; }
check "the service can reset a camera's port" group_of $usb/1-2
check "but not a keyboard's" not group_of $usb/1-3

# ---- another configuration: encoded, recorded, pushed with a key from a credential
printf 'sekrit-%s' "$RANDOM" >$folder/credentials/studio
chmod 600 $folder/credentials/studio
printf '[Service]\nLoadCredential=studio:%s/credentials/studio\n' $folder \
    >/etc/systemd/system/streambox.service.d/keys.conf
key=$(cat $folder/credentials/studio)
(
    while sleep 0.2; do
        ffmpeg -v error -nostdin -y -listen 1 -i "rtmp://127.0.0.1:1940/app/$key" -c copy -f mpegts /tmp/studio.ts
    done
) &
studio=$!
cat >$configuration <<Y
runtime: /run/streambox
state: /var/lib/streambox
status: { file: /run/streambox/streambox.prom, listen: "127.0.0.1:9163" }
channels:
  - name: main
    sources: [ { test: { size: 320x180, rate: 25 } } ]
    groups:
      - name: hd
        video: { size: 320x180, bitrate: 500k }
        tap: true
        targets:
          - { name: tape, record: { folder: /var/lib/streambox/recordings, segment: 2s } }
          - { name: studio, url: "rtmp://127.0.0.1:1940/app", key: { credential: studio } }
      - name: spare
        video: { size: 160x90, bitrate: 200k }
        targets: [ { name: second, record: { folder: /var/lib/streambox/spare } } ]
Y
systemctl daemon-reload
check "it restarts with two credentials" systemctl restart streambox
check "the group is live" within 30 shows "status['channels'][0]['groups'][0]['state'] in ('live', 'degraded')"
check "it is pushed with the key of the credential" within 30 test -s /tmp/studio.ts
check "it is recorded" within 30 bash -c 'ls /var/lib/streambox/recordings/*.ts'
useradd --no-create-home volunteer
volunteer() { setpriv --reuid volunteer --regid volunteer --init-groups "$@"; }
check "other users cannot read recordings" not volunteer ls /var/lib/streambox/recordings
check "a person joins the service's group" adduser volunteer streambox
check "that person reads recordings then" volunteer bash -c 'cat /var/lib/streambox/recordings/*.ts >/dev/null'
check "but no keys" not volunteer cat $folder/keys/twitch
recording=$(find /var/lib/streambox/recordings -name '*.ts' -printf '%f\n' | sort | head -n 1)
check "root copies one for another person" install -m 0644 /var/lib/streambox/recordings/"$recording" /tmp/
check "that person reads it" setpriv --reuid nobody --regid nogroup --clear-groups test -r "/tmp/$recording"
userdel volunteer
check "the encoded video plays" plays hd
# A container may lack the capability that its systemd needs to grant this.
if ((0x$(sed -n 's/^CapBnd:[[:space:]]*//p' /proc/1/status) >> 24 & 1)); then
    check "the thread that moves packets goes before the encoders" bash -c "ps -L -o ni= -p $(main) | grep -q -- -10"
fi
check "if memory is short, the kernel ends an FFmpeg before the service" not \
    bash -c "pgrep -u streambox ffmpeg | sed 's:.*:/proc/&/oom_score_adj:' | xargs grep -L -x 0 | grep ."
check "the key is in no argument" not \
    bash -c "cat \$(pgrep -u streambox | sed 's:.*:/proc/&/cmdline:') | grep -a -q '$key'"
check "the key is in no log" not bash -c "journalctl --unit streambox.service --output cat | grep -q '$key'"
check "nothing was denied" not said 'not permitted'

# ---- RTMPS: the service checks a server by the authorities that the system trusts; the package depends on them
check "the authorities are installed" test -s /etc/ssl/certs/ca-certificates.crt
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=safe -addext subjectAltName=IP:127.0.0.1 \
    -keyout /tmp/safe.key -out /tmp/safe.crt 2>/dev/null
python3 - <<'P' &
import socket, ssl
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/tmp/safe.crt", "/tmp/safe.key")
with socket.create_server(("127.0.0.1", 1941)) as server:
    while True:
        try:
            with context.wrap_socket(server.accept()[0], server_side=True) as client:
                # The first byte of RTMP.
                if client.recv(1) == b"\x03":
                    open("/tmp/safe.greeted", "w").write("yes")
        except OSError:
            pass
P
safe=$!
cp -p $configuration /tmp/plain.yaml
target='{ name: safe, url: "rtmps://127.0.0.1:1941/app", key: { credential: studio } }'
sed -i "/name: studio/a\\          - $target" $configuration
check "a target by RTMPS is added" systemctl reload streambox
check "a server that no authority has signed is refused" \
    within 30 shows "any(p['subject'] == 'target safe' and 'certificate' in p['sentence'] for p in status['problems'])"
check "nothing is sent to it" not test -e /tmp/safe.greeted
cp /tmp/safe.crt /usr/local/share/ca-certificates/safe.crt
check "its authority is added to the system's" update-ca-certificates
check "it is accepted then" within 60 test -s /tmp/safe.greeted
kill $safe
cp -p /tmp/plain.yaml $configuration
check "the target is removed again" systemctl reload streambox

# ---- reload
mark
sed -i 's/bitrate: 500k/bitrate: 600k/' $configuration
pid=$(main)
check "it reloads" systemctl reload streambox
check "the group is handed over" within 30 said 'handed over'
check "it is the same process" test "$(main)" = "$pid"
cp $configuration /tmp/good.yaml
check "simultaneous reloads all finish" timeout $((60 * slow)) bash -c '
    for round in 1 2 3 4 5; do
        streambox reload &
        systemctl reload streambox || exit 1
        wait
    done'
echo 'chanels: []' >>$configuration
systemctl reload streambox.service
if [[ $type == notify-reload ]]; then
    check "a reload returns when its outcome is known" is StatusText '*not reloaded*'
fi
check "a mistake is reported in the unit's status" within 10 is StatusText '*not reloaded*'
check "streambox status reports it" bash -c 'streambox status | grep -q "reload-failed\|not reloaded"'
check "the service continues" test "$(main)" = "$pid" -a "$(property ActiveState)" = active
cp /tmp/good.yaml $configuration
systemctl reload streambox.service
check "the next valid reload clears it" within 10 is StatusText 'main shows test-0*'

# ---- killed, hung
mark
former=$(pgrep -u streambox)
start=$(date +%s%N)
kill -KILL "$pid"
check "killed, it is on air again" within 20 shows "status['channels'][0]['groups'][0]['state'] in ('live', 'degraded')"
echo "      after $((($(date +%s%N) - start) / 1000000)) ms"
# The new process has children that access disks, too.
gone() { for process in $former; do [[ ! -d /proc/$process ]] || return 1; done; }
check "no process of the former one is left" within 10 gone
within 20 is ActiveState active
mark
pid=$(main)
kill -STOP "$pid"
another() { [[ $(main) != 0 && $(main) != "$1" ]]; }
check "hung, it is killed by the watchdog" within 60 another "$pid"
check "and on air again" within 20 is ActiveState active
journalctl --quiet --unit streambox.service --since "@$since" --output cat | grep -i watchdog

# ---- wanted states and upgrade
check "the operator stops a group" streambox group stop spare
cp -p $configuration /tmp/before
pid=$(main)
cp second/*.deb /tmp/streambox.deb
check "the upgrade installs" apt-get -o Dpkg::Options::=--force-confold install --yes /tmp/streambox.deb
check "its default configuration is put beside" test -e $configuration.dpkg-dist
check "the service has restarted" not test "$(main)" = "$pid"
check "it is on air" is ActiveState active
check "the configuration is kept" cmp $configuration /tmp/before
check "what was stopped stays so" shows "[g['isWanted'] for g in status['channels'][0]['groups']] == [True, False]"
systemctl disable --now --quiet streambox.service
check "a service that the operator turned off" dpkg --install --force-confold first/*.deb
check "is not started by an upgrade" \
    bash -c '! systemctl --quiet is-enabled streambox.service && ! systemctl --quiet is-active streambox.service'
systemctl enable --now --quiet streambox.service

# ---- stop, remove, purge
start=$(date +%s%N)
systemctl stop streambox
check "it stops with success" is Result success
echo "      after $((($(date +%s%N) - start) / 1000000)) ms"
check "it leaves no process" not pgrep -u streambox
systemctl start streambox.service
kill $studio
wait $studio 2>/dev/null
check "the package is removed" apt-get remove --yes streambox
check "the configuration stays" test -e $configuration
check "the service has stopped" not pgrep -u streambox
check "the package is purged" apt-get purge --yes streambox
check "nothing is left" not left
check "nor its user" not getent passwd streambox
check "nor its group" not getent group streambox
none_failed() { [[ -z $(systemctl --failed --plain --no-legend) ]]; }
check "no unit has failed" none_failed
systemctl --failed --plain --no-legend
exit $failed
