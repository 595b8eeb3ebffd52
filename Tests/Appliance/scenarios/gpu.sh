# The GPU encodes, is lost, and comes back: no frame is missing. The kernel's virtio-gpu has no encoder: the tests'
# driver for libva, which encodes in software, replaces the vendor's.
guest <<'GUEST'
install -D -m 644 /mnt/test/virtio_gpu_drv_video.so /usr/lib/x86_64-linux-gnu/dri/virtio_gpu_drv_video.so
systemctl stop streambox
publishes=$(./platform.py publishes)
systemctl start streambox
encodes() { metric "streambox_group_encoder_info{channel=\"main\",group=\"hd\",encoder=\"$1\""; }
check "the GPU encodes" within 120 encodes h264_vaapi
sleep 5

driver=/sys/bus/virtio/drivers/virtio_gpu
gpu=$(basename $driver/virtio*)
from=$(now)
echo "$gpu" >$driver/unbind
# On a slow machine the processor may have encoded the group already.
check "it is reported as gone" within 60 metric "state=\"gone\"} 1"
check "it is lost: the processor encodes" within 60 encodes libx264
sleep 5
figure "the GPU is lost: the longest time without a frame" "$(./platform.py pause "$from")"

from=$(now)
echo "$gpu" >$driver/bind
check "it is back, and encodes" within 180 encodes h264_vaapi
sleep 5
figure "it is back: the longest time without a frame" "$(./platform.py pause "$from")"
check "no frame is missing" metric 'streambox_group_lost_frames_total{channel="main",group="hd"} 0'
one_stream "$((publishes + 1))"
GUEST
