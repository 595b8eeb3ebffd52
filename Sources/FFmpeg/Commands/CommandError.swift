import Redaction

/// Why no command line can be built: one sentence, without the secret itself.
package enum CommandError: Error, Sendable, Hashable, CustomStringConvertible {
    case controlCharacter(option: String)
    case emptySecret(option: String)
    case secretTooLong(option: String, limit: Int)
    case badAddress(String, reason: String)

    package var description: String {
        switch self {
        case .controlCharacter(let option):
            "the value of \(Self.plain(option)) holds a line break or another control character: remove it"
        case .emptySecret(let option):
            "the value of \(Self.plain(option)) is empty: fill it in, or leave it out"
        case .secretTooLong(let option, let limit):
            "the value of \(Self.plain(option)) is longer than the \(limit) bytes that FFmpeg reads: use a shorter one"
        case .badAddress(let address, let reason):
            "\(URLMask.mask(address)): \(reason)"
        }
    }

    private static func plain(_ option: String) -> String {
        switch option {
        case "rtmp_playpath": "the stream key"
        case "passphrase": "the passphrase"
        case "srt_streamid": "the stream id"
        case "password": "the password"
        case "url": "the address"
        default: option
        }
    }
}
