import Foundation

/// What ffprobe finds in a file, a URL or bytes: streams, packets, and frames' timestamps as they stand.
package struct MediaProbe: Sendable {
    package struct Stream: Sendable, Hashable, Decodable {
        package let index: Int
        /// `video`, `audio` or `data`.
        package let type: String
        /// `h264`, `hevc`, `aac` …; nil when ffprobe does not know it.
        package let codec: String?
        package let profile: String?
        package let width: Int?
        package let height: Int?
        /// In hertz.
        package let sampleRate: Int?
        package let channels: Int?
        package let frameRate: String?
        /// How many seconds a tick is, as a fraction.
        package let timeBase: String
        /// For MPEG-TS, the packet identifier.
        package let identifier: Int?

        /// Seconds in a tick.
        package var tick: Double {
            let parts = timeBase.split(separator: "/").compactMap { Double($0) }
            return parts.count == 2 ? parts[0] / parts[1] : .nan
        }

        enum CodingKeys: String, CodingKey {
            case index, profile, width, height, channels, sampleRate, timeBase
            case type = "codecType"
            case codec = "codecName"
            case frameRate = "rFrameRate"
            case identifier = "id"
        }

        package init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            index = try values.decode(Int.self, forKey: .index)
            type = try values.decodeIfPresent(String.self, forKey: .type) ?? "unknown"
            codec = try values.decodeIfPresent(String.self, forKey: .codec)
            profile = try values.decodeIfPresent(String.self, forKey: .profile)
            width = try values.decodeIfPresent(Int.self, forKey: .width)
            height = try values.decodeIfPresent(Int.self, forKey: .height)
            sampleRate = try values.decodeIfPresent(String.self, forKey: .sampleRate).flatMap { Int($0) }
            channels = try values.decodeIfPresent(Int.self, forKey: .channels)
            frameRate = try values.decodeIfPresent(String.self, forKey: .frameRate)
            timeBase = try values.decode(String.self, forKey: .timeBase)
            identifier = try values.decodeIfPresent(String.self, forKey: .identifier)
                .flatMap { Int($0.dropFirst(2), radix: 16) }
        }
    }

    package struct Packet: Sendable, Hashable {
        package let stream: Int
        /// `video`, `audio` or `data`.
        package let codecType: String
        /// All times in ticks of the stream's time base.
        package let pts: Int64?
        package let dts: Int64?
        package let duration: Int64?
        package let isKey: Bool
        /// In bytes.
        package let size: Int
        /// The place in the file, where the container tells it.
        package let position: Int64?
    }

    package let streams: [Stream]
    /// In the order of the file.
    package let packets: [Packet]
    package let format: String
    /// What ffprobe complained about.
    package let complaints: String

    package var video: Stream? { streams.first { $0.type == "video" } }
    package var audio: Stream? { streams.first { $0.type == "audio" } }

    package func packets(of stream: Stream?) -> [Packet] {
        packets.filter { $0.stream == stream?.index }
    }

    /// Packets whose DTS is not above that of the packet before it in the same stream.
    package var backwards: [Packet] {
        var newest: [Int: Int64] = [:]
        return packets.filter { packet in
            guard let dts = packet.dts else { return false }
            defer { newest[packet.stream] = dts }
            return newest[packet.stream].map { dts <= $0 } ?? false
        }
    }

    /// - Parameter options: more options for the input, such as `["-f", "mpegts"]`.
    /// - Throws: `Failed` when ffprobe cannot open it.
    package static func read(
        _ input: FrameReader.Input, options: [String] = [], within limit: Duration = .seconds(30)
    ) async throws -> MediaProbe {
        var words = ["-hide_banner", "-loglevel", "warning", "-of", "json"]
        words += ["-show_streams", "-show_packets", "-show_format"] + options
        var feed = TestProcess.Input.none
        switch input {
        case .url(let url): words += ["-i", url]
        case .bytes(let bytes):
            words += ["-i", "pipe:0"]
            feed = .bytes(bytes)
        }
        let done = try await TestProcess.run(Judge.ffprobe, words, input: feed, within: limit)
            .success("ffprobe")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let report = try decoder.decode(Report.self, from: Data(done.output))
        return MediaProbe(
            streams: report.streams,
            packets: report.packets.map {
                Packet(
                    stream: $0.streamIndex, codecType: $0.codecType ?? "unknown", pts: $0.pts,
                    dts: $0.dts, duration: $0.duration, isKey: $0.flags.hasPrefix("K"),
                    size: Int($0.size) ?? 0, position: $0.pos.flatMap { Int64($0) })
            },
            format: report.format.formatName, complaints: done.errors)
    }

    private struct Report: Decodable {
        struct Packet: Decodable {
            var streamIndex: Int
            var codecType: String?
            var pts: Int64?
            var dts: Int64?
            var duration: Int64?
            var size: String
            var pos: String?
            var flags: String
        }
        struct Format: Decodable { var formatName: String }
        var streams: [Stream]
        var packets: [Packet]
        var format: Format
    }
}
