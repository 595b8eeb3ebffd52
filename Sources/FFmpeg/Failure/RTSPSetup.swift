/// A camera's answers to a client that asks for a transport that the camera does not support.
package enum RTSPSetup {
    /// Whether the camera may accept the other transport. FFmpeg itself asks for UDP after status 461 only.
    ///
    /// - Parameter log: The log of a relay that ended.
    package static func mayTakeOtherTransport(_ log: LogExcerpt) -> Bool {
        log.all.contains { line in
            let text = LogLine.withoutPrefixes(line)
            if text.hasPrefix("Nonmatching transport in server reply") { return true }
            // FFmpeg does not say which request was answered with 400.
            if text.hasSuffix("Server returned 400 Bad Request") { return true }
            let start = "method SETUP failed: "
            return text.hasPrefix(start) && !others.contains(String(text.dropFirst(start.count).prefix(3)))
        }
    }

    /// Statuses that do not depend on the transport: no password, not allowed, not found, too many clients.
    private static let others: Set = ["401", "403", "404", "453", "454"]
}
