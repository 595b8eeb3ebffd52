# Installs a platform to push to, the package, and a configuration on the bare box: once, for all scenarios.
# shellcheck shell=bash source=Tests/Appliance/guest/lib.sh
source /mnt/test/guest/lib.sh

# The platform: nginx with RTMP. Its recordings are in memory, so that a power cut removes them.
cat >/etc/nginx/platform.conf <<'CONF'
daemon off;
master_process off;
user root;
pid /run/platform.pid;
error_log /run/platform/error.log info;
load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
events { worker_connections 64; }
rtmp {
    server {
        listen 127.0.0.1:1936;
        application live { live on; record all; record_path /run/platform; record_unique on; record_append on; }
    }
}
CONF
cat >/etc/systemd/system/platform.service <<'UNIT'
[Unit]
Description=A platform to push to
DefaultDependencies=no
After=systemd-tmpfiles-setup.service
Before=multi-user.target
[Service]
RuntimeDirectory=platform
ExecStart=/usr/sbin/nginx -c /etc/nginx/platform.conf
[Install]
WantedBy=multi-user.target
UNIT
install -m 755 platform.py /usr/local/bin/platform
cat >/etc/systemd/system/platform-watch.service <<'UNIT'
[Unit]
Description=Record the arrival of frames at the platform
After=platform.service
[Service]
ExecStart=/usr/local/bin/platform watch
[Install]
WantedBy=multi-user.target
UNIT
systemctl daemon-reload
systemctl enable --quiet --now platform.service platform-watch.service

started=$(now)
package=$(ls /mnt/test/*.deb)
# Installs the file by its path: there is no network to download other packages from.
check "the package installs" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$package"
check "the service is up" within 30 systemctl is-active --quiet streambox
figure "the package installs, until the service is up" "$(since "$started")"
check "it is enabled" systemctl is-enabled --quiet streambox
slate_is_shown() { streambox status | grep -q 'on air *source *slate'; }
check "the slate is on air" within 60 slate_is_shown

install -d /etc/streambox/keys
echo secret-key >/etc/streambox/keys/platform
chown -R streambox /etc/streambox/keys
chmod 600 /etc/streambox/keys/platform
cp box.yaml /etc/streambox/streambox.yaml
check "the configuration is accepted" streambox check /etc/streambox/streambox.yaml
systemctl restart streambox
within 60 ./platform.py first any 0 >/dev/null
check "the platform receives video" ./platform.py first any 0
sync
