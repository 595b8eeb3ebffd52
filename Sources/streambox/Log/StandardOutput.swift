import Glibc

/// Texts for whoever reads our standard output or error.
enum StandardOutput {
    /// Writes a text, for as long as that takes.
    ///
    /// - Returns: Whether it went out whole.
    @discardableResult
    static func write(_ text: String, to descriptor: CInt) -> Bool {
        send(text, to: descriptor, within: -1)
    }

    /// Writes a text, but does not wait for ever for a reader that takes none of it.
    static func tryWrite(_ text: String, to descriptor: CInt) {
        send(text, to: descriptor, within: 1000)
    }

    /// - Parameter limit: Milliseconds that a piece of it may wait; negative waits for ever.
    @discardableResult
    private static func send(_ text: String, to descriptor: CInt, within limit: CInt) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                if limit >= 0, !isWritable(descriptor, within: limit) { return false }
                // A pipe that can be written to has room for so much at least, and does not block then.
                let count = Glibc.write(
                    descriptor, rest.baseAddress, limit >= 0 ? min(rest.count, Int(PIPE_BUF)) : rest.count)
                if count > 0 {
                    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                } else if errno == EAGAIN {
                    // Somebody who shares it with us has made it so.
                    guard isWritable(descriptor, within: limit) else { return false }
                } else if errno != EINTR {
                    return false
                }
            }
            return true
        }
    }

    private static func isWritable(_ descriptor: CInt, within limit: CInt) -> Bool {
        var question = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        var answer: CInt
        repeat { answer = poll(&question, 1, limit) } while answer < 0 && errno == EINTR
        return answer > 0 && question.revents & Int16(POLLOUT) != 0
    }
}
