/// A kind of process that an FFmpeg does not start, because it refuses something of its command line.
public struct RefusedRole: Sendable, Hashable, Codable {
    /// What is made by such processes: `encoders`, `RTMP targets`.
    public var role: String
    /// As ``RefusedOption`` describes it.
    public var refused: String

    public init(role: String, refused: String) {
        self.role = role
        self.refused = refused
    }

    /// What is refused, by which FFmpeg, and what to do.
    public func sentence(ffmpeg: String) -> String { Self.sentence(refused, ffmpeg: ffmpeg) + ", without which these do not work: \(role)" + Self.advice(on: refused) }

    /// The same of a single process.
    public static func sentence(_ refused: String, ffmpeg: String) -> String { "FFmpeg \(ffmpeg) does not have, or refuses, \(refused)" }

    public static let advice = "; install FFmpeg of Debian 12 or later (apt install ffmpeg), or set `ffmpeg:` to one that has it"

    /// What to do about what is refused.
    public static func advice(on refused: String) -> String {
        refused == RefusedOption.wildcardListener ? "; let it listen on 0.0.0.0 or on an address of the box, or use FFmpeg 9" : advice
    }
}
