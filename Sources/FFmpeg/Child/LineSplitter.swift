/// Cuts a byte stream into lines at `\n`, `\r` and `\r\n`. Bytes beyond the limit of a line are discarded.
struct LineSplitter {
    /// The most bytes that are kept of one line.
    let limit: Int
    private var line: [UInt8] = []
    private var isCut = false

    init(limit: Int) {
        self.limit = limit
    }

    /// The lines completed by these bytes, without empty ones.
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

    /// The last line, completed by the end of the stream.
    mutating func finish() -> String? {
        defer {
            line.removeAll(keepingCapacity: true)
            isCut = false
        }
        guard !line.isEmpty else { return nil }
        return String(decoding: line, as: UTF8.self) + (isCut ? "…" : "")
    }
}
