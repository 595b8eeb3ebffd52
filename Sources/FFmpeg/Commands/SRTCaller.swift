/// What FFmpeg's SRT listener says of those who call it.
package enum SRTCaller: Sendable, Equatable {
    /// It was let in, and named a stream id: these words, to be compared with ``words(for:)``.
    case accepted(String)
    /// It was let in, and what it sends was looked at, whether or not its stream id was told.
    case opened
    /// It had another passphrase, or none, and libsrt turned it away.
    case wrongPassphrase

    /// What is said of a caller that named this stream id. With the length, since an id may end in anything.
    package static func words(for streamID: String) -> String { "[\(streamID)], length \(streamID.utf8.count)" }

    /// Whether a line is the last one before FFmpeg ends: everything that came has been written.
    ///
    /// After it libsrt takes a second to end its threads, and FFmpeg does not close its output before.
    package static func isOver(_ line: LogLine) -> Bool {
        line.level == .info && line.text.contains("video:") && line.text.contains(" other streams:")
    }

    /// Reads a line of a relay; `nil` when it is of something else.
    ///
    /// FFmpeg itself looks at no stream id, but tells it, at level `verbose`, before it reads the first byte. Nobody
    /// can write the line of the right id who does not know it, wherever else in the log he may write.
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
