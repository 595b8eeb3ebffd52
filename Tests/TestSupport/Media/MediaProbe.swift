import Foundation

/// The streams and packets that ffprobe finds in a file, a URL or bytes, with unchanged timestamps.
package struct MediaProbe: Sendable {
    package struct Stream: Sendable, Hashable, Decodable {
        package let index: Int
        /// `video`, `audio` or `data`.
        package let type: String
        /// Such as `h264`, `hevc` or `aac`; nil if ffprobe does not know it.
        package let codec: String?
        package let profile: String?
        package let width: Int?
        package let height: Int?
        /// In hertz.
        package let sampleRate: Int?
        package let channels: Int?
        package let frameRate: String?
        /// The seconds of a tick, as a fraction.
        package let timeBase: String
        /// The packet identifier in MPEG-TS.
        package let identifier: Int?

        /// The seconds of a tick.
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
        /// All times are in ticks of the stream's time base.
        package let pts: Int64?
        package let dts: Int64?
        package let duration: Int64?
        package let isKey: Bool
        /// In bytes.
        package let size: Int
        /// The position in the file, if the container has it.
        package let position: Int64?
    }

    package let streams: [Stream]
    /// In the order of the file.
    package let packets: [Packet]
    package let format: String
    /// The warnings and errors of ffprobe.
    package let complaints: String

    package var video: Stream? { streams.first { $0.type == "video" } }
    package var audio: Stream? { streams.first { $0.type == "audio" } }

    package func packets(of stream: Stream?) -> [Packet] {
        packets.filter { $0.stream == stream?.index }
    }

    /// The packets whose DTS is not above that of the packet before in the same stream.
    package var backwards: [Packet] {
        var newest: [Int: Int64] = [:]
        return packets.filter { packet in
            guard let dts = packet.dts else { return false }
            defer { newest[packet.stream] = dts }
            return newest[packet.stream].map { dts <= $0 } ?? false
        }
    }

    /// Runs ffprobe on a stream.
    ///
    /// - Parameter options: Further options for the input, such as `["-f", "mpegts"]`.
    /// - Throws: `Failed` if ffprobe cannot open it.
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
