/// What a publisher says of its stream in a data message (`onMetaData`; Adobe FLV 10.1, E.5). For people alone:
/// nothing is decided by it, since publishers announce what never comes, and send what they did not announce.
package struct MediaMetadata: Sendable, Hashable, CustomStringConvertible {
    /// Pixels, 1…16,384.
    package private(set) var width: Int?
    /// Pixels, 1…16,384.
    package private(set) var height: Int?
    /// Frames a second, up to 1000.
    package private(set) var frameRate: Double?
    package private(set) var video: VideoCoding?
    package private(set) var audio: AudioCoding?
    /// Samples a second, 1…384,000.
    package private(set) var audioSampleRate: Int?

    /// - Parameter bytes: Of a data message with values of AMF0.
    /// - Returns: `nil` where it is another message, or cannot be read. Text of the publisher is left where it is.
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

    /// `H.264 1280x720 at 30 fps, AAC at 48000 Hz`; empty where it says none of it.
    package var description: String {
        var picture = [video?.description]
        if let width, let height { picture.append("\(width)x\(height)") }
        picture.append(frameRate.map { "at \(($0 * 100).rounded() / 100) fps" })
        let sound = [audio?.description, audioSampleRate.map { "at \($0) Hz" }]
        return [picture, sound].map { $0.compactMap(\.self).joined(separator: " ") }.filter { !$0.isEmpty }
            .joined(separator: ", ")
    }

    private static func whole(_ value: AMF0?, _ range: ClosedRange<Int>) -> Int? {
        guard let number = value?.number, let whole = Int(exactly: number.rounded()) else { return nil }
        return range.contains(whole) ? whole : nil
    }

    /// A number of FLV, or the four characters of Enhanced RTMP as a number or as text.
    private static func code(_ value: AMF0?) -> UInt32? {
        if let number = value?.number { return UInt32(exactly: number) }
        guard let text = value?.string, text.utf8.count == 4 else { return nil }
        return text.utf8.reduce(0) { $0 << 8 | UInt32($1) }
    }
}
