/// A message of FFmpeg's SRT listener about a caller.
package enum SRTCaller: Sendable, Equatable {
    /// The caller was accepted and named a stream id. The value is FFmpeg's words for the id, to be compared with
    /// ``words(for:)``.
    case accepted(String)
    /// The caller was accepted and its stream was probed, whether or not its stream id was logged.
    case opened
    /// The caller had another passphrase or none, and libsrt refused it.
    case wrongPassphrase

    /// FFmpeg's words for a caller with this stream id. They include the length, because an id may end in anything.
    package static func words(for streamID: String) -> String { "[\(streamID)], length \(streamID.utf8.count)" }

    /// Whether a line is the last one before FFmpeg ends: all received data has been written.
    ///
    /// After it libsrt takes a second to end its threads, and FFmpeg closes its output only then.
    package static func isOver(_ line: LogLine) -> Bool {
        line.level == .info && line.text.contains("video:") && line.text.contains(" other streams:")
    }

    /// Reads a line of a relay's log. `nil` if it is about something else.
    ///
    /// FFmpeg itself does not check a stream id, but logs it at level `verbose` before it reads the first byte. A
    /// caller that does not know the right id cannot produce this line, although a caller can cause other lines in the
    /// log.
    package init?(_ line: LogLine) {
        switch line.level {
        case .verbose:
            guard let mark = line.text.firstRange(of: "accept streamid ") else { return nil }
            self = .accepted(String(line.text[mark.upperBound...]))
        case .info where line.text.hasPrefix("Input #0,"): self = .opened
        // SRT_REJ_BADSECRET and SRT_REJ_UNSECURE.
        case nil where line.text.contains("rsp(REJECT): 1010 ") || line.text.contains("rsp(REJECT): 1011 "):
            self = .wrongPassphrase
        default: return nil
        }
    }
}
