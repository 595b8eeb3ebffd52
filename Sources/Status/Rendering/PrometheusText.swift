/// A snapshot in the text format 0.0.4 of Prometheus: UTF-8, in a stable order, without timestamps.
///
/// It is rendered every two seconds and for every scrape, with thousands of lines on a large box. So it is built from
/// bytes, and the labels of a group or target are formatted once and copied into each of its lines.
package struct PrometheusText {
    var bytes: [UInt8] = []

    /// The text of a snapshot; it ends with a line feed.
    package static func render(_ box: BoxSnapshot) -> [UInt8] {
        let rows = Rows(box)
        var writer = PrometheusText()
        writer.bytes.reserveCapacity(8192 + rows.groups.count * 4096 + rows.targets.count * 1024)
        writer.write(box, rows)
        return writer.bytes
    }

    enum Kind: String {
        case gauge, counter, histogram
    }

    private mutating func write(_ box: BoxSnapshot, _ rows: Rows) {
        family("streambox_build_info", .gauge, "The versions in use.")
        sample("streambox_build_info", [("version", box.version), ("ffmpeg", box.ffmpeg)], 1)
        family("streambox_last_update_timestamp_seconds", .gauge, "The time of these figures.")
        sample("streambox_last_update_timestamp_seconds", [], box.updated)
        family(
            "process_cpu_seconds_total", .counter, "Processor time of the service itself, without its FFmpeg processes."
        )
        sample("process_cpu_seconds_total", [], box.process.cpuSeconds)
        family("process_resident_memory_bytes", .gauge, "Memory of the service itself.")
        sample("process_resident_memory_bytes", [], Double(box.process.residentBytes))
        family("process_open_fds", .gauge, "Open file descriptors of the service itself.")
        sample("process_open_fds", [], Double(box.process.openDescriptors))
        family("process_start_time_seconds", .gauge, "When the service started.")
        sample("process_start_time_seconds", [], box.started)
        hardware(box)
        captureDevices(box)
        sources(box)
        ingests(box)
        feeds(rows)
        groups(rows)
        targets(rows)
        family("streambox_problem", .gauge, "1 while an operator should act.")
        // Two problems of one kind and subject are one series, and the text may contain a series only once.
        var written: Set<[String]> = []
        for problem in box.problems where written.insert([problem.problem.rawValue, problem.subject]).inserted {
            sample("streambox_problem", [("problem", problem.problem.rawValue), ("subject", problem.subject)], 1)
        }
    }

    // MARK: Hardware

    private mutating func hardware(_ box: BoxSnapshot) {
        family("streambox_gpu_info", .gauge, "A GPU by its slot, which does not change when nodes are renumbered.")
        for gpu in box.gpus {
            sample("streambox_gpu_info", [("gpu", gpu.slot), ("node", gpu.node), ("driver", gpu.driver)], 1)
        }
        family("streambox_gpu_state", .gauge, "The state of a GPU: 1 for the current state.")
        for gpu in box.gpus {
            oneOf("streambox_gpu_state", GPUSnapshot.State.allCases, gpu.state, Labels([("gpu", gpu.slot)]))
        }
        family("streambox_encoder_usable", .gauge, "1 while an encoder passes its trials and does not rest.")
        for encoder in box.encoders {
            sample(
                "streambox_encoder_usable", [("encoder", encoder.name), ("gpu", encoder.gpu ?? "")],
                encoder.isUsable ? 1 : 0)
        }
    }

    private mutating func captureDevices(_ box: BoxSnapshot) {
        family("streambox_capture_device_info", .gauge, "A capture card that is plugged in.")
        for device in box.captureDevices {
            sample(
                "streambox_capture_device_info",
                [("device", device.name), ("serial", device.serial ?? ""), ("path", device.path)], 1)
        }
    }

    // MARK: Sources and feeds

    private mutating func sources(_ box: BoxSnapshot) {
        family("streambox_source_state", .gauge, "The state of a source: 1 for the current state.")
        for channel in box.channels {
            for source in channel.sources {
                let labels = Labels([("channel", channel.name), ("source", source.id)])
                oneOf("streambox_source_state", SourceSnapshot.State.allCases, source.state, labels)
            }
        }
        family("streambox_source_on_air", .gauge, "1 while the source is on air.")
        for channel in box.channels {
            for source in channel.sources {
                sample(
                    "streambox_source_on_air", [("channel", channel.name), ("source", source.id)],
                    source.isOnAir ? 1 : 0)
            }
        }
        family("streambox_source_switches_total", .counter, "How often a source went on air.")
        for channel in box.channels {
            for (source, count) in channel.switches.sorted(by: { $0.key < $1.key }) {
                sample("streambox_source_switches_total", [("channel", channel.name), ("to", source)], Double(count))
            }
        }
    }

    private mutating func ingests(_ box: BoxSnapshot) {
        family(
            "streambox_source_dropped_packets_total", .counter,
            "Packets that SRT dropped because they were late or lost.")
        for channel in box.channels {
            for source in channel.sources {
                guard let count = source.droppedPackets else { continue }
                let labels = [("channel", channel.name), ("source", source.id)]
                sample("streambox_source_dropped_packets_total", labels, Double(count))
            }
        }
        family("streambox_ingest_refusals_total", .counter, "Publishers that were rejected.")
        for channel in box.channels {
            for source in channel.sources {
                for (reason, count) in (source.refusals ?? [:]).sorted(by: { $0.key < $1.key }) {
                    sample(
                        "streambox_ingest_refusals_total",
                        [("channel", channel.name), ("source", source.id), ("reason", reason)], Double(count))
                }
            }
        }
    }

    private mutating func feeds(_ rows: Rows) {
        family("streambox_feed_bytes_total", .counter, "Bytes written to a feed; the feed of a channel has no group.")
        for row in rows.channels { sample("streambox_feed_bytes_total", row.labels, Double(row.value.feedBytes)) }
        for row in rows.groups { sample("streambox_feed_bytes_total", row.labels, Double(row.value.feedBytes)) }
        family(
            "streambox_feed_skips_total", .counter,
            """
            How often a reader of a feed fell behind and jumped to the newest keyframe; the encoder of a group \
            reads the feed of the channel.
            """
        )
        for row in rows.readers { sample("streambox_feed_skips_total", row.labels, Double(row.value)) }
    }

    // MARK: Groups

    private mutating func groups(_ rows: Rows) {
        family("streambox_group_state", .gauge, "The state of a group: 1 for the current state.")
        for row in rows.groups {
            oneOf("streambox_group_state", GroupSnapshot.State.allCases, row.value.state, row.labels)
        }
        family("streambox_group_encoder_info", .gauge, "The encoder in use.")
        for row in rows.groups {
            sample(
                "streambox_group_encoder_info",
                row.labels.adding("encoder", row.value.encoder).adding("gpu", row.value.gpu ?? ""), 1)
        }
        let figures: [(String, Kind, String, (GroupSnapshot) -> Double)] = [
            (
                "streambox_group_frames_total", .counter, "Frames written to the group's feed.",
                { Double($0.frames) }
            ),
            ("streambox_group_fps", .gauge, "Frames per second.", { $0.fps }),
            ("streambox_group_speed_ratio", .gauge, "Seconds of stream per second.", { $0.speed }),
            (
                "streambox_group_bitrate_bits_per_second", .gauge, "Video and audio, over the last ten seconds.",
                { $0.bitsPerSecond }
            ),
            (
                "streambox_group_dropped_frames_total", .counter, "Frames that encoders dropped.",
                { Double($0.droppedFrames) }
            ),
            (
                "streambox_group_lost_frames_total", .counter,
                "Frames that the channel had and the group does not have.",
                { Double($0.lostFrames) }
            ),
            ("streambox_group_uptime_seconds", .gauge, "How long the group has been live.", { $0.uptime }),
        ]
        for (name, kind, help, value) in figures {
            family(name, kind, help)
            for row in rows.groups { sample(name, row.labels, value(row.value)) }
        }
        family(
            "streambox_encoder_exits_total", .counter,
            "How often an encoder ended, or had to be ended, while it was wanted.")
        for row in rows.groups {
            for exit in row.value.exits {
                sample(
                    "streambox_encoder_exits_total",
                    row.labels.adding("encoder", exit.encoder).adding("cause", exit.cause), Double(exit.count))
            }
        }
        family("streambox_handovers_total", .counter, "How often one encoder took over from another.")
        for row in rows.groups {
            for (cause, count) in row.value.handovers.sorted(by: { $0.key < $1.key }) {
                sample("streambox_handovers_total", row.labels.adding("cause", cause), Double(count))
            }
        }
        family(
            "streambox_handover_duration_seconds", .histogram,
            "From the last frame of one encoder to the first frame of the next.")
        for row in rows.groups {
            histogram("streambox_handover_duration_seconds", row.labels, row.value.handoverSeconds)
        }
    }

    // MARK: Targets

    private mutating func targets(_ rows: Rows) {
        family("streambox_target_state", .gauge, "The state of a target: 1 for the current state.")
        // Another family has the share of the stream that reaches a live target.
        let states = TargetSnapshot.State.allCases.filter { $0 != .degraded }
        for row in rows.targets {
            oneOf("streambox_target_state", states, row.value.isConnected ? .live : row.value.state, row.labels)
        }
        family("streambox_target_bytes_total", .counter, "Bytes sent to the publishers of the target.")
        for row in rows.targets { sample("streambox_target_bytes_total", row.labels, Double(row.value.bytes)) }
        family("streambox_target_connects_total", .counter, "How often the target was connected.")
        for row in rows.targets { sample("streambox_target_connects_total", row.labels, Double(row.value.connects)) }
        family(
            "streambox_target_skipped_seconds_total", .counter,
            "Seconds of stream that the publishers of the target skipped.")
        for row in rows.targets {
            sample("streambox_target_skipped_seconds_total", row.labels, row.value.skippedSeconds)
        }
        family("streambox_target_uptime_seconds", .gauge, "How long the target has been connected.")
        for row in rows.targets { sample("streambox_target_uptime_seconds", row.labels, row.value.uptime) }
    }
}

/// The parts of a snapshot with their labels, in the snapshot's order.
private struct Rows {
    struct Row<Value> {
        var labels: PrometheusText.Labels
        var value: Value
    }

    var channels: [Row<ChannelSnapshot>] = []
    var groups: [Row<GroupSnapshot>] = []
    var targets: [Row<TargetSnapshot>] = []
    /// The readers of the feeds, with the number of their skips.
    var readers: [Row<Int>] = []

    init(_ box: BoxSnapshot) {
        for channel in box.channels {
            channels.append(
                Row(labels: PrometheusText.Labels([("channel", channel.name), ("group", "")]), value: channel))
            for group in channel.groups {
                let labels = PrometheusText.Labels([("channel", channel.name), ("group", group.name)])
                groups.append(Row(labels: labels, value: group))
                // The encoder of a group reads the feed of the channel.
                readers.append(
                    Row(
                        labels: PrometheusText.Labels([
                            ("channel", channel.name), ("group", ""), ("reader", group.name),
                        ]), value: group.encoderSkips))
                for target in group.targets {
                    targets.append(Row(labels: labels.adding("target", target.name), value: target))
                    readers.append(Row(labels: labels.adding("reader", target.name), value: target.skips))
                }
            }
        }
    }
}
