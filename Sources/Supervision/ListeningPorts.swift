import Glibc

/// Which TCP ports somebody listens on, as the kernel lists them. Looks without connecting: a listener of FFmpeg's
/// serves one peer only.
enum ListeningPorts {
    static func contains(_ port: Int) -> Bool {
        ["/proc/net/tcp", "/proc/net/tcp6"].contains { table in
            guard let file = fopen(table, "re") else { return false }
            defer { fclose(file) }
            var line = [CChar](repeating: 0, count: 512)
            while fgets(&line, CInt(line.count), file) != nil {
                let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                if isListening(text, port: port) { return true }
            }
            return false
        }
    }

    /// Reads one line of the table: `sl  local_address rem_address   st …`, hexadecimal; state 0A listens.
    static func isListening(_ line: String, port: Int) -> Bool {
        let fields = line.split(separator: " ", maxSplits: 4)
        guard fields.count > 3, fields[3] == "0A", let colon = fields[1].lastIndex(of: ":") else { return false }
        return Int(fields[1][fields[1].index(after: colon)...], radix: 16) == port
    }
}
