/// How a camera answers a client that asks for a transport which it does not have.
package enum RTSPSetup {
    /// The camera may take the other transport. FFmpeg itself asks for UDP after status 461 alone.
    ///
    /// - Parameter log: Of a relay that ended.
    package static func mayTakeOtherTransport(_ log: LogExcerpt) -> Bool {
        log.all.contains { line in
            let text = LogLine.withoutPrefixes(line)
            if text.hasPrefix("Nonmatching transport in server reply") { return true }
            // FFmpeg does not say which request is answered with 400.
            if text.hasSuffix("Server returned 400 Bad Request") { return true }
            let start = "method SETUP failed: "
            return text.hasPrefix(start) && !others.contains(String(text.dropFirst(start.count).prefix(3)))
        }
    }

    /// Statuses that are no matter of transports: no password, not allowed, not there, too many clients.
    private static let others: Set = ["401", "403", "404", "453", "454"]
}
