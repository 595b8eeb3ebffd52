/// A kind of process that an FFmpeg does not start, because it refuses something of its command line.
package struct RefusedRole: Sendable, Hashable, Codable {
    /// What is made by such processes: `encoders`, `RTMP targets`.
    package var role: String
    /// As ``RefusedOption`` describes it.
    package var refused: String

    package init(role: String, refused: String) {
        self.role = role
        self.refused = refused
    }

    /// What is refused, by which FFmpeg, and what to do.
    package func sentence(ffmpeg: String) -> String {
        Self.sentence(refused, ffmpeg: ffmpeg) + ", without which these do not work: \(role)" + Self.advice(on: refused)
    }

    /// The same of a single process, without what to do.
    package static func sentence(_ refused: String, ffmpeg: String) -> String {
        "FFmpeg \(ffmpeg) \(verb(for: refused)) \(refused)"
    }

    /// The same of an encoder's trial, which does not know the version, with what to do.
    package static func sentence(_ refused: String) -> String {
        "this FFmpeg \(verb(for: refused)) \(refused)" + advice(on: refused)
    }

    private static let lacks = "does not have"
    private static let refuses = "refuses"
    private static let cannotOpen = "cannot open"

    /// What an FFmpeg has or has not; it refuses the rest, whether it knows it or not.
    private static let parts = [
        "the encoder ", "the decoder ", "the filter ", "the bitstream filter ", "a bitstream filter ",
        "the input format ", "the output format ",
        "the pixel format ", "the device type ", "the protocol ",
    ]

    private static func verb(for refused: String) -> String {
        if refused == RefusedOption.wildcardListener { return cannotOpen }
        return parts.contains { refused.hasPrefix($0) } ? lacks : refuses
    }

    package static let advice =
        """
        ; install Debian's FFmpeg (apt install ffmpeg); if this is Debian's, set `ffmpeg:` to one that has it, or \
        do without it
        """

    /// What to do about what is refused.
    package static func advice(on refused: String) -> String {
        if refused == RefusedOption.wildcardListener {
            return "; let it listen on 0.0.0.0 or on an address of the box, or use FFmpeg 9"
        }
        if refused.hasSuffix(RefusedOption.tooLong) { return "; make it shorter" }
        if refused.hasPrefix("the parameter ") {
            return "; take it out of the address, or set `ffmpeg:` to an FFmpeg that has it"
        }
        if refused.hasPrefix("the value of SRTO_") { return "; change it in the address" }
        return advice
    }
}
