import Status
import TestSupport
import Testing

/// The names, labels, states and causes of the metrics that dashboards and other programs rely on. They are written
/// here a second time on purpose.
@Suite struct ContractTests {
    private static let group = ["channel", "group"]
    private static let target = ["channel", "group", "target"]
    private static let labels: [String: [String]] = [
        "streambox_build_info": ["version", "ffmpeg"], "streambox_last_update_timestamp_seconds": [],
        "process_cpu_seconds_total": [], "process_resident_memory_bytes": [], "process_open_fds": [],
        "process_start_time_seconds": [],
        "streambox_gpu_info": ["gpu", "node", "driver"], "streambox_gpu_state": ["gpu", "state"],
        "streambox_encoder_usable": ["encoder", "gpu"], "streambox_capture_device_info": ["device", "serial", "path"],
        "streambox_source_state": ["channel", "source", "state"], "streambox_source_on_air": ["channel", "source"],
        "streambox_source_switches_total": ["channel", "to"], "streambox_feed_bytes_total": group,
        "streambox_feed_skips_total": group + ["reader"], "streambox_group_state": group + ["state"],
        "streambox_group_encoder_info": group + ["encoder", "gpu"], "streambox_group_frames_total": group,
        "streambox_group_fps": group,
        "streambox_group_speed_ratio": group, "streambox_group_bitrate_bits_per_second": group,
        "streambox_group_dropped_frames_total": group,
        "streambox_group_lost_frames_total": group, "streambox_group_uptime_seconds": group,
        "streambox_encoder_exits_total": group + ["encoder", "cause"], "streambox_handovers_total": group + ["cause"],
        "streambox_handover_duration_seconds_bucket": group + ["le"], "streambox_handover_duration_seconds_sum": group,
        "streambox_handover_duration_seconds_count": group, "streambox_target_state": target + ["state"],
        "streambox_target_bytes_total": target, "streambox_target_connects_total": target,
        "streambox_target_uptime_seconds": target,
        "streambox_target_skipped_seconds_total": target,
        "streambox_problem": ["problem", "subject"],
    ]
    private static let states: [String: Set<String>] = [
        "streambox_gpu_state": ["ready", "quarantined", "gone"],
        "streambox_source_state": ["absent", "waiting", "connecting", "live", "stalled", "failed"],
        "streambox_group_state": ["starting", "live", "degraded", "stalled", "stopped"],
        "streambox_target_state": ["connecting", "live", "waiting", "refused", "stopped"],
    ]

    /// A snapshot with one of each part.
    private static let box = BoxSnapshot(
        version: "1.2.3", ffmpeg: "5.1", started: 1, updated: 2,
        gpus: [GPUSnapshot(slot: "0000:00:02.0", driver: "i915", node: "/dev/dri/renderD128", state: .ready)],
        encoders: [EncoderSnapshot(name: "libx264", isUsable: true)],
        captureDevices: [CaptureDeviceSnapshot(name: "Cam", path: "usb-0:2")],
        channels: [
            ChannelSnapshot(
                name: "main",
                sources: [
                    SourceSnapshot(id: "rtmp-0", state: .live, isOnAir: true),
                    SourceSnapshot(id: "slate", state: .waiting),
                ],
                switches: ["rtmp-0": 1, "slate": 1],
                groups: [
                    GroupSnapshot(
                        name: "hd", state: .live, encoder: "libx264", encoderSkips: 3,
                        exits: [EncoderExits(encoder: "libx264", cause: "crash", count: 1)], handovers: ["crash": 1],
                        targets: [TargetSnapshot(name: "twitch", state: .live, skips: 2)])
                ])
        ], problems: [Problem(.targetDown, subject: "target twitch", sentence: "x")])

    private struct Sample {
        var name: String
        var labels: [(name: String, value: String)]
    }

    private static func samples(of box: BoxSnapshot) throws -> [Sample] {
        try String(decoding: PrometheusText.render(box), as: UTF8.self).split(separator: "\n").filter {
            !$0.hasPrefix("#")
        }.map { line in
            let sample = try #require(try #/([a-z_]+)(?:\{(.*)\})? (\S+)/#.wholeMatch(in: line), "\(line)")
            #expect(Double(sample.3) != nil, "\(line)")
            let labels = (sample.2 ?? "").matches(of: #/([a-z_]+)="((?:[^"\\]|\\.)*)"/#).map {
                (String($0.1), String($0.2))
            }
            return Sample(name: String(sample.1), labels: labels)
        }
    }

    @Test("every metric exists, with exactly its labels")
    func names() throws {
        let samples = try Self.samples(of: Self.box)
        #expect(Set(samples.map(\.name)) == Set(Self.labels.keys))
        for sample in samples { #expect(Self.labels[sample.name] == sample.labels.map(\.name), "\(sample)") }
    }

    @Test("states are one-hot, with exactly the known states")
    func states() throws {
        for (name, states) in Self.states {
            let found = try Self.samples(of: Self.box).filter { $0.name == name }.flatMap(\.labels).filter {
                $0.name == "state"
            }.map(\.value)
            #expect(
                found.count == states.count * (name == "streambox_source_state" ? 2 : 1) && Set(found) == states,
                "\(name)")
        }
    }

    @Test("packets that SRT dropped are counted for SRT sources only")
    func droppedPackets() {
        var box = Self.box
        box.channels[0].sources.append(SourceSnapshot(id: "srt-1", state: .live, droppedPackets: 197))
        let lines = String(decoding: PrometheusText.render(box), as: UTF8.self).split(separator: "\n")
        let samples = lines.filter { $0.hasPrefix("streambox_source_dropped_packets_total{") }
        #expect(samples == [#"streambox_source_dropped_packets_total{channel="main",source="srt-1"} 197"#])
        #expect(StatusTable.render(box, coloured: false).contains("197 packets lost"))
    }

    @Test("a degraded target is live in the metrics, with its skipped seconds")
    func slowTarget() {
        var box = Self.box
        box.channels[0].groups[0].targets = [
            TargetSnapshot(name: "a", state: .degraded, skippedSeconds: 4.5, share: 0.87)
        ]
        let text = String(decoding: PrometheusText.render(box), as: UTF8.self)
        let labels = #"channel="main",group="hd",target="a""#
        let states = text.split(separator: "\n").filter { $0.hasPrefix("streambox_target_state{") }
        #expect(
            states.count == 5 && states.contains(#"streambox_target_state{\#(labels),state="live"} 1"#), "\(states)")
        #expect(states.count { $0.hasSuffix(" 1") } == 1, "\(states)")
        #expect(text.contains(#"streambox_target_skipped_seconds_total{\#(labels)} 4.5"#))
    }

    @Test("every family has help and type, and counters end with _total")
    func types() {
        let lines = String(decoding: PrometheusText.render(Self.box), as: UTF8.self).split(separator: "\n")
        let families = Set(Self.labels.keys.map { $0.replacing(#/(_bucket|_sum|_count)$/#, with: "") })
        for family in families {
            #expect(lines.count { $0.hasPrefix("# HELP \(family) ") } == 1, "\(family)")
            let types = lines.filter { $0.hasPrefix("# TYPE \(family) ") }.compactMap { $0.split(separator: " ").last }
            #expect(
                types == [
                    family.hasSuffix("_total")
                        ? "counter" : family == "streambox_handover_duration_seconds" ? "histogram" : "gauge"
                ], "\(family)")
        }
    }

    @Test("skips count for encoders in channel feeds, for targets in group feeds")
    func readers() {
        let text = String(decoding: PrometheusText.render(Self.box), as: UTF8.self)
        #expect(text.contains(#"streambox_feed_skips_total{channel="main",group="",reader="hd"} 3"#))
        #expect(text.contains(#"streambox_feed_skips_total{channel="main",group="hd",reader="twitch"} 2"#))
    }

    @Test("an equal snapshot gives the same bytes, and no line has a timestamp")
    func stable() {
        #expect(PrometheusText.render(Self.box) == PrometheusText.render(Self.box))
        for line in String(decoding: PrometheusText.render(Self.box), as: UTF8.self).split(separator: "\n")
        where !line.hasPrefix("#") {
            let value = line.split(separator: "}").last ?? line
            #expect(value.split(separator: " ").count == (line.contains("{") ? 1 : 2), "\(line)")
        }
    }
}
