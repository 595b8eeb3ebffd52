/// A kind of process that FFmpeg cannot run, because it refuses a part of the command line.
package struct RefusedRole: Sendable, Hashable, Codable {
    /// The purposes of such processes, with commas between them: `encoders, RTMP targets`.
    package var purposes: String
    /// The refused part, in the words of ``RefusedOption``.
    package var refused: String

    private enum CodingKeys: String, CodingKey {
        case purposes = "role"
        case refused
    }

    package init(purposes: String, refused: String) {
        self.purposes = purposes
        self.refused = refused
    }

    /// A sentence that says what is refused, by which FFmpeg, and what to do.
    package func sentence(ffmpeg: String) -> String {
        Self.sentence(refused, ffmpeg: ffmpeg) + ", which these need: \(purposes)" + Self.advice(on: refused)
    }

    /// Returns the sentence for a single process, without the advice.
    package static func sentence(_ refused: String, ffmpeg: String) -> String {
        "FFmpeg \(ffmpeg) \(verb(for: refused)) \(refused)"
    }

    /// Returns the sentence for the trial of an encoder, with the advice and without the version, which the trial does
    /// not know.
    package static func sentence(_ refused: String) -> String {
        "this FFmpeg \(verb(for: refused)) \(refused)" + advice(on: refused)
    }

    private static let lacks = "does not have"
    private static let refuses = "refuses"
    private static let cannotOpen = "cannot open"

    /// Parts that an FFmpeg may lack. It refuses everything else, whether it knows it or not.
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
        ; install Debian's FFmpeg (apt install ffmpeg); if it is installed, set `ffmpeg:` to a build with this \
        feature, or change the configuration to work without it
        """

    /// Says what to do about a refused part.
    package static func advice(on refused: String) -> String {
        if refused == RefusedOption.wildcardListener {
            return "; listen on 0.0.0.0 or on an address of the box, or use FFmpeg 9"
        }
        if refused.hasSuffix(RefusedOption.tooLong) { return "; use a shorter value" }
        if refused.hasPrefix("the parameter ") {
            return "; remove it from the address, or set `ffmpeg:` to an FFmpeg that has it"
        }
        if refused.hasPrefix("the value of SRTO_") { return "; change it in the address" }
        return advice
    }
}
