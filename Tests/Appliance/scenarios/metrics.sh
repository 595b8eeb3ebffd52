# Prometheus' node exporter collects the metrics file, as the documentation says.
guest <<'GUEST'
saw "on air" slate 0
echo 'ARGS="--collector.textfile.directory=/run/streambox"' >/etc/default/prometheus-node-exporter
systemctl restart prometheus-node-exporter
scraped() { curl --silent --max-time 30 http://127.0.0.1:9100/metrics >/run/scraped && grep -q "$1" /run/scraped; }
check "the exporter shows the slate on air" within 60 \
    scraped '^streambox_source_on_air{channel="main",source="slate"} 1'
check "it shows no error" scraped '^node_textfile_scrape_error 0'
check "it shows the whole file" \
    test "$(grep -c '^streambox_' /run/scraped)" = "$(grep -c '^streambox_' /run/streambox/streambox.prom)"
check "the service shows the same itself" \
    grep -q '^streambox_source_on_air{channel="main",source="slate"} 1' <(curl --silent http://127.0.0.1:9163/metrics)
systemctl stop streambox
gone() { ! scraped '^streambox_source_on_air'; }
check "a service that was stopped is not shown as alive" within 30 gone
GUEST
