# A card with an HDMI input (the kernel's vivid) and audio of its own (snd-aloop): the signal is lost and comes back,
# the card is taken away and comes back, the clock is set, its audio is taken away.
guest <<'GUEST'
# reopened NUMBER: whether the service has opened the card again this number of times because of the clock.
reopened() {
    local line='the clock was set: the card is opened again'
    (($(journalctl --unit streambox --output cat | grep -c "$line") == $1))
}
card() {
    v4l2-ctl -d /dev/video0 --set-input 1
    # The smallest size whose pixel rate vivid accepts, and a fifth of the frames: enough for emulation.
    v4l2-ctl -d /dev/video0 --set-dv-bt-timings=cvt,width=512,height=384,fps=60
    v4l2-ctl -d /dev/video0 --set-ctrl percentage_of_dropped_buffers=80
} >/dev/null 2>&1
modprobe vivid n_devs=1 node_types=0x1 num_inputs=2 input_types=0xc
modprobe snd-aloop index=5 id=Loop pcm_substreams=1
udevadm settle
card
ffmpeg -v error -nostdin -re -f lavfi -i sine=440:r=48000 -ac 2 -f alsa hw:5,0,0 &
tone=$!
saw "on air" slate 0
sed -i 's/serial: CAM1, audio: none/any: true, audio: "hw:5,1,0"/' /etc/streambox/streambox.yaml
from=$(now)
check "the card is configured" streambox reload
saw "the card is on air" other "$from"
sleep 5

from=$(now)
v4l2-ctl -d /dev/video0 --set-ctrl dv_timings_signal_mode=1
saw "no signal at its input: the slate" slate "$from"
from=$(now)
v4l2-ctl -d /dev/video0 --set-ctrl dv_timings_signal_mode=0
saw "the signal is back: on air" other "$from"
sleep 3

from=$(now)
echo vivid.0 >/sys/bus/platform/drivers/vivid/unbind
saw "the card is taken away: the slate" slate "$from"
from=$(now)
echo vivid.0 >/sys/bus/platform/drivers/vivid/bind
udevadm settle
card
saw "it is back: on air" other "$from"
sleep 3

from=$(now)
date --set '+2 hours' >/dev/null
check "the clock is set ahead: the card is opened again" within 20 reopened 1
saw "its video continues" other "$(now)"
sleep 3
date --set '-3 hours' >/dev/null
check "the clock is set back: the card is opened again" within 20 reopened 2
saw "its video continues again" other "$(now)"
figure "the clock is set twice: the longest time without a frame" "$(./platform.py pause "$from")"
sleep 3

from=$(now)
kill "$tone"
echo snd_aloop.0 >/sys/bus/platform/drivers/snd_aloop/unbind &
sleep 8
check "its audio is taken away: the video continues" on_air capture-0
figure "its audio is taken away: the longest time without a frame" "$(./platform.py pause "$from")"
one_stream
GUEST
