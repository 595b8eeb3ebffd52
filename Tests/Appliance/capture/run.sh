#!/bin/bash
# In a Debian with the kernel's vivid and snd-aloop, as root, beside a streambox program: a card with an HDMI input and a
# sound card of its own. Prints a line a check; the exit status is the number of those that failed.
cd "$(dirname "$0")" || exit 99
failed=0
folder=$(mktemp -d)
trap 'kill $daemon $tone 2>/dev/null; wait 2>/dev/null; rm -rf "$folder"' EXIT

check() {
    local name=$1
    shift
    if "$@"; then echo "ok    $name (after $SECONDS s)"; else echo "FAIL  $name (after $SECONDS s)"; failed=$((failed + 1)); fi
}
within() {
    local seconds=$1 end
    shift
    end=$((SECONDS + seconds))
    while ! "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.3
    done
}
# The log from a mark on.
mark() { marked=$(wc -l <"$folder/log"); }
logged() { tail -n +$((marked + 1)) "$folder/log" | grep -q -- "$1"; }
status() { ./streambox status --config "$folder/box.yaml"; }

modprobe vivid n_devs=1 node_types=0x1 num_inputs=2 input_types=0xc
modprobe snd-aloop index=5 id=Loop pcm_substreams=1
udevadm settle
v4l2-ctl -d /dev/video0 -i 1 >/dev/null
v4l2-ctl -d /dev/video0 --set-dv-bt-timings=cvt=0,width=640,height=480,fps=30 >/dev/null
ffmpeg -v error -nostdin -re -f lavfi -i sine=440:r=48000 -ac 2 -t 600 -f alsa hw:5,0,0 &
tone=$!

cat >"$folder/box.yaml" <<Y
runtime: $folder/run
state: $folder/state
channels:
  - name: main
    sources: [ { capture: { any: true, audio: "hw:5,1,0" } } ]
    slate: { after: 1s }
    mezzanine: { bitrate: 2M }
    groups: [ { name: raw, video: copy, audio: copy, targets: [ { name: tape, record: { folder: $folder/tape } } ] } ]
Y
touch "$folder/log"
mark
./streambox probe
./streambox run --config "$folder/box.yaml" --log-level debug 2>>"$folder/log" >/dev/null &
daemon=$!
check "the card is on air" within 60 logged '"on air".*source=capture-0'
sleep 5

mark
v4l2-ctl -d /dev/video0 -c dv_timings_signal_mode=1
check "no signal is noticed" within 30 logged "no signal arrives"
check "the slate stands in" within 60 logged '"on air".*source=slate'
mark
v4l2-ctl -d /dev/video0 -c dv_timings_signal_mode=0
check "the signal is back, and on air" within 60 logged '"on air".*source=capture-0'
sleep 3

mark
echo vivid.0 >/sys/bus/platform/drivers/vivid/unbind
check "a card that is taken away is absent" within 20 logged "absent: no card"
check "the slate stands in" within 60 logged '"on air".*source=slate'
mark
echo vivid.0 >/sys/bus/platform/drivers/vivid/bind
udevadm settle
v4l2-ctl -d /dev/video0 -i 1 >/dev/null
check "it is on air again" within 60 logged '"on air".*source=capture-0'
sleep 4
status

mark
kill $tone
echo snd_aloop.0 >/sys/bus/platform/drivers/snd_aloop/unbind &
sleep 6
check "the picture goes on without its sound" bash -c "tail -n +$marked $folder/log | grep -q 'source=slate' && exit 1; exit 0"
kill -TERM $daemon
wait $daemon
check "the service ends in order" [ $? = 0 ]
for file in "$folder"/tape/*; do
    ffprobe -v error -show_entries stream=codec_name,width,height,sample_rate -of csv=p=0 "$file"
    # A card's times are its own: they are not to be rounded to a rate here.
    ffmpeg -v error -i "$file" -fps_mode passthrough -enc_time_base -1 -f null - 2>&1 | head -5 >"$folder/complaints"
    check "the recording plays" [ ! -s "$folder/complaints" ]
    cat "$folder/complaints"
done
grep -E 'level=(warning|error)' "$folder/log" | tail -15
exit $failed
