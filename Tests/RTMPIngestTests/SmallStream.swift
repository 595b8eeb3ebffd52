import TestSupport

/// A stream of 64x48 pixels as a publisher sends it, message by message: decodable H.264, and silence in AAC.
enum SmallStream {
    static let video: UInt8 = 9
    static let audio: UInt8 = 8

    /// - Parameter isOther: Whether it has another picture parameter set.
    static func videoHeader(isOther: Bool = false) -> [UInt8] {
        let sps: [UInt8] = [
            0x67, 0x42, 0xC0, 0x0A, 0xDA, 0x11, 0xEC, 0x04, 0x40, 0x00, 0x00, 0x03, 0x00, 0x40, 0x00, 0x00, 0x0F, 0x23,
            0xC4, 0x89, 0xA8,
        ]
        let pps: [UInt8] = [0x68, 0xCE, 0x0F, isOther ? 0xC9 : 0xC8]
        return [0x17, 0, 0, 0, 0, 1, 0x42, 0xC0, 0x0A, 0xFF, 0xE1, 0, UInt8(sps.count)] + sps
            + [1, 0, UInt8(pps.count)] + pps
    }

    static let keyframe: [UInt8] = [
        0x17, 1, 0, 0, 0, 0, 0, 0, 16, 0x65, 0x88, 0x84, 0x3A, 0x26, 0x28, 0x0C, 0x9C, 0x9C, 0x9D, 0x75, 0xD7, 0x5D,
        0x75, 0xD7, 0x5E,
    ]
    static let frame: [UInt8] = [0x27, 1, 0, 0, 0, 0, 0, 0, 6, 0x41, 0x9A, 0x20, 0x3E, 0x86, 0xC0]
    static let audioHeader: [UInt8] = [0xAF, 0, 0x11, 0x90]
    static let monoHeader: [UInt8] = [0xAF, 0, 0x11, 0x88]
    static let audioFrame: [UInt8] = [0xAF, 1, 0x21, 0x10, 0x04, 0x60, 0x8C, 0x1C]
    /// A frame of Sorenson H.263.
    static let oldVideo: [UInt8] = [0x12, 0, 0, 0x84]
    /// A frame of MP3.
    static let mp3: [UInt8] = [0x2F, 0xFF, 0xFB, 0x90, 0x64, 0, 0, 0, 0]

    static func message(_ kind: UInt8, _ time: Int, _ body: [UInt8]) -> [UInt8] {
        RTMPStranger.message(kind == video ? 6 : 4, body, kind: kind, time: time)
    }

    /// Video frames every 40 ms, with a keyframe at the start of each second.
    static func frames(_ range: Range<Int>) -> [UInt8] {
        range.flatMap { message(video, $0 * 40, $0 % 25 == 0 ? keyframe : frame) }
    }

    static var begin: [UInt8] { message(video, 0, videoHeader()) }
}
