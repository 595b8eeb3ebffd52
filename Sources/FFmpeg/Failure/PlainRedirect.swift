/// A checked https server that redirects to an address without TLS. FFmpeg before version 9 follows it, and then logs
/// the TLS options that it cannot use there.
package enum PlainRedirect {
    /// FFmpeg logs this before it reads the media. A few frames at most pass before the process is ended.
    package static func isReported(by line: LogLine) -> Bool {
        LogLine.withoutPrefixes(line.text).hasPrefix("Unused options for 'https://")
    }
}
