/// A snapshot as Prometheus reads it: the text format 0.0.4, in a stable order, without timestamps.
public struct PrometheusText {
    private var text = ""

    /// The text of a snapshot; it ends with a line feed.
    public static func render(_ box: BoxSnapshot) -> String {
        var writer = PrometheusText()
        writer.text.reserveCapacity(4096)
        writer.write(box)
        return writer.text
    }

    private enum Kind: String {
        case gauge, counter, histogram
    }

    private mutating func write(_ box: BoxSnapshot) {
        family("streambox_build_info", .gauge, "The versions that run.")
        sample("streambox_build_info", [("version", box.version), ("ffmpeg", box.ffmpeg)], 1)
        family("streambox_last_update_timestamp_seconds", .gauge, "When these figures were taken.")
        sample("streambox_last_update_timestamp_seconds", [], box.updated)
        family("process_cpu_seconds_total", .counter, "Processor time of the service itself, without its FFmpegs.")
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
        feeds(box)
        groups(box)
        targets(box)
        family("streambox_problem", .gauge, "1 while an operator should act.")
        for problem in box.problems { sample("streambox_problem", [("problem", problem.problem), ("subject", problem.subject)], 1) }
    }

    // MARK: Hardware

    private mutating func hardware(_ box: BoxSnapshot) {
        family("streambox_gpu_info", .gauge, "A GPU by its slot, which stays the same when nodes are renumbered.")
        for gpu in box.gpus { sample("streambox_gpu_info", [("gpu", gpu.slot), ("node", gpu.node), ("driver", gpu.driver)], 1) }
        family("streambox_gpu_state", .gauge, "The state of a GPU: 1 for the one that holds.")
        for gpu in box.gpus { oneOf("streambox_gpu_state", GPUSnapshot.State.allCases, gpu.state, [("gpu", gpu.slot)]) }
        family("streambox_encoder_usable", .gauge, "1 while an encoder passes its trials and does not rest.")
        for encoder in box.encoders {
            sample("streambox_encoder_usable", [("encoder", encoder.name), ("gpu", encoder.gpu ?? "")], encoder.isUsable ? 1 : 0)
        }
    }

    private mutating func captureDevices(_ box: BoxSnapshot) {
        family("streambox_capture_device_info", .gauge, "A capture card that is plugged in.")
        for device in box.captureDevices {
            sample("streambox_capture_device_info", [("device", device.name), ("serial", device.serial ?? ""), ("path", device.path)], 1)
        }
    }

    // MARK: Sources and feeds

    private mutating func sources(_ box: BoxSnapshot) {
        family("streambox_source_state", .gauge, "The state of a source: 1 for the one that holds.")
        for channel in box.channels {
            for source in channel.sources {
                oneOf("streambox_source_state", SourceSnapshot.State.allCases, source.state, [("channel", channel.name), ("source", source.id)])
            }
        }
        family("streambox_source_on_air", .gauge, "1 while the source is on air.")
        for channel in box.channels {
            for source in channel.sources {
                sample("streambox_source_on_air", [("channel", channel.name), ("source", source.id)], source.isOnAir ? 1 : 0)
            }
        }
        family("streambox_source_switches_total", .counter, "How often a source took the air.")
        for channel in box.channels {
            for (source, count) in channel.switches.sorted(by: { $0.key < $1.key }) {
                sample("streambox_source_switches_total", [("channel", channel.name), ("to", source)], Double(count))
            }
        }
    }

    private mutating func feeds(_ box: BoxSnapshot) {
        family("streambox_feed_bytes_total", .counter, "Bytes that went into a feed; the channel's own has no group.")
        for channel in box.channels {
            sample("streambox_feed_bytes_total", [("channel", channel.name), ("group", "")], Double(channel.feedBytes))
            for group in channel.groups {
                sample("streambox_feed_bytes_total", [("channel", channel.name), ("group", group.name)], Double(group.feedBytes))
            }
        }
        family("streambox_feed_skips_total", .counter, "How often a reader fell behind and jumped to the newest keyframe.")
        for channel in box.channels {
            for group in channel.groups {
                for target in group.targets {
                    sample(
                        "streambox_feed_skips_total", [("channel", channel.name), ("group", group.name), ("reader", target.name)],
                        Double(target.skips))
                }
            }
        }
    }

    // MARK: Groups

    private mutating func groups(_ box: BoxSnapshot) {
        family("streambox_group_state", .gauge, "The state of a group: 1 for the one that holds.")
        for channel in box.channels {
            for group in channel.groups { oneOf("streambox_group_state", GroupSnapshot.State.allCases, group.state, labels(channel, group)) }
        }
        family("streambox_group_encoder_info", .gauge, "The encoder in use.")
        for channel in box.channels {
            for group in channel.groups {
                sample("streambox_group_encoder_info", labels(channel, group) + [("encoder", group.encoder), ("gpu", group.gpu ?? "")], 1)
            }
        }
        let figures: [(String, Kind, String, (GroupSnapshot) -> Double)] = [
            ("frames_total", .counter, "Pictures that went into the group's feed.", { Double($0.frames) }),
            ("fps", .gauge, "Pictures a second.", { $0.fps }),
            ("speed_ratio", .gauge, "Seconds of stream a second.", { $0.speed }),
            ("bitrate_bits_per_second", .gauge, "What the group's feed takes in.", { $0.bitsPerSecond }),
            ("dropped_frames_total", .counter, "Pictures that encoders left out.", { Double($0.droppedFrames) }),
            ("lost_frames_total", .counter, "Pictures that are missing where one encoder took over from another.", { Double($0.lostFrames) }),
            ("uptime_seconds", .gauge, "How long the group has been live.", { $0.uptime }),
        ]
        for (name, kind, help, value) in figures {
            family("streambox_group_\(name)", kind, help)
            for channel in box.channels {
                for group in channel.groups { sample("streambox_group_\(name)", labels(channel, group), value(group)) }
            }
        }
        family("streambox_encoder_exits_total", .counter, "How often an encoder ended by itself.")
        for channel in box.channels {
            for group in channel.groups {
                for exit in group.exits {
                    sample("streambox_encoder_exits_total", labels(channel, group) + [("encoder", exit.encoder), ("cause", exit.cause)], Double(exit.count))
                }
            }
        }
        family("streambox_handovers_total", .counter, "How often one encoder took over from another.")
        for channel in box.channels {
            for group in channel.groups {
                for (cause, count) in group.handovers.sorted(by: { $0.key < $1.key }) {
                    sample("streambox_handovers_total", labels(channel, group) + [("cause", cause)], Double(count))
                }
            }
        }
        family("streambox_handover_duration_seconds", .histogram, "From the last picture of one encoder to the first of the next.")
        for channel in box.channels {
            for group in channel.groups { histogram("streambox_handover_duration_seconds", labels(channel, group), group.handoverSeconds) }
        }
    }

    private func labels(_ channel: ChannelSnapshot, _ group: GroupSnapshot) -> [(String, String)] {
        [("channel", channel.name), ("group", group.name)]
    }

    // MARK: Targets

    private mutating func targets(_ box: BoxSnapshot) {
        family("streambox_target_state", .gauge, "The state of a target: 1 for the one that holds.")
        each(box) { $0.oneOf("streambox_target_state", TargetSnapshot.State.allCases, $2.state, $1) }
        family("streambox_target_bytes_total", .counter, "Bytes that the target's publishers were given.")
        each(box) { $0.sample("streambox_target_bytes_total", $1, Double($2.bytes)) }
        family("streambox_target_connects_total", .counter, "How often the target was connected.")
        each(box) { $0.sample("streambox_target_connects_total", $1, Double($2.connects)) }
        family("streambox_target_uptime_seconds", .gauge, "How long the target has been connected.")
        each(box) { $0.sample("streambox_target_uptime_seconds", $1, $2.uptime) }
    }

    private mutating func each(_ box: BoxSnapshot, _ body: (inout PrometheusText, [(String, String)], TargetSnapshot) -> Void) {
        for channel in box.channels {
            for group in channel.groups {
                for target in group.targets { body(&self, labels(channel, group) + [("target", target.name)], target) }
            }
        }
    }

    // MARK: Lines

    private mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    private mutating func sample(_ name: String, _ labels: [(String, String)], _ value: Double) {
        text += name
        if !labels.isEmpty {
            text += "{"
            for (index, label) in labels.enumerated() {
                if index > 0 { text += "," }
                text += label.0
                text += "=\""
                escape(label.1)
                text += "\""
            }
            text += "}"
        }
        text += " "
        text += Self.number(value)
        text += "\n"
    }

    private mutating func oneOf<State: RawRepresentable & Equatable>(
        _ name: String, _ states: [State], _ state: State, _ labels: [(String, String)]
    ) where State.RawValue == String {
        for candidate in states { sample(name, labels + [("state", candidate.rawValue)], candidate == state ? 1 : 0) }
    }

    private mutating func histogram(_ name: String, _ labels: [(String, String)], _ histogram: HistogramSnapshot) {
        var below = 0
        for (bound, count) in zip(histogram.bounds, histogram.counts) {
            below += count
            sample(name + "_bucket", labels + [("le", Self.number(bound))], Double(below))
        }
        sample(name + "_bucket", labels + [("le", "+Inf")], Double(histogram.count))
        sample(name + "_sum", labels, histogram.sum)
        sample(name + "_count", labels, Double(histogram.count))
    }

    /// A label's value, as the format wants it.
    private mutating func escape(_ value: String) {
        for character in value.unicodeScalars {
            switch character {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(character)
            }
        }
    }

    /// Whole numbers without a point.
    static func number(_ value: Double) -> String {
        guard value.isFinite else { return value.isNaN ? "NaN" : value > 0 ? "+Inf" : "-Inf" }
        if value == value.rounded(), abs(value) < 1e15 { return String(Int64(value)) }
        return "\(value)"
    }
}
