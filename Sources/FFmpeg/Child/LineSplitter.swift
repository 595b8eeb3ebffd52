/// Cuts a byte stream into lines at `\n`, `\r` and `\r\n`; what exceeds the limit of a line is thrown away.
struct LineSplitter {
    /// Bytes kept of one line.
    let limit: Int
    private var line: [UInt8] = []
    private var isCut = false

    init(limit: Int) {
        self.limit = limit
    }

    /// The lines completed by these bytes. Empty ones are left out.
    mutating func consume(_ bytes: some Sequence<UInt8>) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                if let complete = finish() { lines.append(complete) }
            default:
                if line.count < limit { line.append(byte) } else { isCut = true }
            }
        }
        return lines
    }

    /// The line that the end of the stream completes.
    mutating func finish() -> String? {
        defer {
            line.removeAll(keepingCapacity: true)
            isCut = false
        }
        guard !line.isEmpty else { return nil }
        return String(decoding: line, as: UTF8.self) + (isCut ? "…" : "")
    }
}
