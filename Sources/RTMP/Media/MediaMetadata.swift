/// A publisher's description of its stream in a data message (`onMetaData`; Adobe FLV 10.1, E.5). It is only shown to
/// people: publishers announce streams that never arrive, and send streams that they did not announce.
package struct MediaMetadata: Sendable, Hashable, CustomStringConvertible {
    /// Pixels, 1…16,384.
    package private(set) var width: Int?
    /// Pixels, 1…16,384.
    package private(set) var height: Int?
    /// Frames per second, up to 1000.
    package private(set) var frameRate: Double?
    package private(set) var video: VideoCoding?
    package private(set) var audio: AudioCoding?
    /// Samples per second, 1…384,000.
    package private(set) var audioSampleRate: Int?

    /// - Parameter bytes: A data message with AMF0 values.
    /// - Returns: `nil` if it is another message, or cannot be read. No text of the publisher is kept.
    package init?(_ bytes: Bytes) {
        var reader = AMF0Reader(bytes)
        guard var value = try? reader.next() else { return nil }
        if value.string == "@setDataFrame", let next = try? reader.next() { value = next }
        guard value.string == "onMetaData", let properties = try? reader.next() else { return nil }
        guard case .object = properties else { return nil }
        width = Self.whole(properties["width"], 1...16_384)
        height = Self.whole(properties["height"], 1...16_384)
        audioSampleRate = Self.whole(properties["audiosamplerate"], 1...384_000)
        if let rate = properties["framerate"]?.number, rate > 0, rate <= 1000 { frameRate = rate }
        video = Self.code(properties["videocodecid"]).map {
            $0 < 256 ? VideoCoding(number: UInt8($0)) : VideoCoding(fourCC: $0)
        }
        audio = Self.code(properties["audiocodecid"]).map {
            $0 < 256 ? AudioCoding(number: UInt8($0)) : AudioCoding(fourCC: $0)
        }
    }

    /// `H.264 1280x720 at 30 fps, AAC at 48000 Hz`; empty if the message states nothing of that.
    package var description: String {
        var videoParts = [video?.description]
        if let width, let height { videoParts.append("\(width)x\(height)") }
        videoParts.append(frameRate.map { "at \(($0 * 100).rounded() / 100) fps" })
        let audioParts = [audio?.description, audioSampleRate.map { "at \($0) Hz" }]
        return [videoParts, audioParts].map { $0.compactMap(\.self).joined(separator: " ") }.filter { !$0.isEmpty }
            .joined(separator: ", ")
    }

    private static func whole(_ value: AMF0?, _ range: ClosedRange<Int>) -> Int? {
        guard let number = value?.number, let whole = Int(exactly: number.rounded()) else { return nil }
        return range.contains(whole) ? whole : nil
    }

    /// A codec number of FLV, or a FourCC of Enhanced RTMP as a number or as text.
    private static func code(_ value: AMF0?) -> UInt32? {
        if let number = value?.number { return UInt32(exactly: number) }
        guard let text = value?.string, text.utf8.count == 4 else { return nil }
        return text.utf8.reduce(0) { $0 << 8 | UInt32($1) }
    }
}
