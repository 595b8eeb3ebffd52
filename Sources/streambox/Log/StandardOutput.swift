import Glibc

/// Writes text to standard output or standard error.
enum StandardOutput {
    /// Writes a text, and waits for its reader without a limit.
    ///
    /// - Returns: Whether the whole text was written.
    @discardableResult
    static func write(_ text: String, to descriptor: CInt) -> Bool {
        send(text, to: descriptor, within: -1)
    }

    /// Writes a text, and gives up on a reader that reads none of it for a second.
    static func tryWrite(_ text: String, to descriptor: CInt) {
        send(text, to: descriptor, within: 1000)
    }

    /// - Parameter limit: How many milliseconds each part of the text may wait for its reader. Negative for no limit.
    @discardableResult
    private static func send(_ text: String, to descriptor: CInt, within limit: CInt) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                if limit >= 0, !isWritable(descriptor, within: limit) { return false }
                // A pipe that poll(2) reports as writable has room for at least this many bytes, so the write does not
                // block.
                let count = Glibc.write(
                    descriptor, rest.baseAddress, limit >= 0 ? min(rest.count, Int(PIPE_BUF)) : rest.count)
                if count > 0 {
                    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                } else if errno == EAGAIN {
                    // Another process that shares the descriptor made it non-blocking.
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
