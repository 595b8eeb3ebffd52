/// A checked https server that leads to an address without TLS. FFmpeg before version 9 follows it, and says so by the
/// options that it has no use for there.
package enum PlainRedirect {
    /// Told before FFmpeg looks at the media; what it passes on until it is ended is a few frames at the most.
    package static func isTold(by line: LogLine) -> Bool {
        LogLine.withoutPrefixes(line.text).hasPrefix("Unused options for 'https://")
    }
}
