/// The first and the last messages of a process: causes are at the beginning, consequences at the end.
package struct LogExcerpt: Sendable, Hashable {
    /// The first lines, at most 20.
    package private(set) var head: [String] = []
    /// The last lines, at most 60, without those of the head.
    package private(set) var tail: [String] = []
    /// The number of lines between the two that are not kept.
    package private(set) var omitted = 0

    /// The first line with the level of an error. It usually names the cause of the later ones.
    package private(set) var firstError: String?

    static let headLines = 20
    static let tailLines = 60
    /// The most bytes that are kept of one line, so that the whole stays under 80 kB.
    static let lineBytes = 1000

    package init() {}

    package var isEmpty: Bool { head.isEmpty }

    /// All kept lines in order.
    var all: [String] { head + tail }

    /// All kept lines in order, with the number of missing lines between them.
    package var lines: [String] {
        head + (omitted > 0 ? ["… \(omitted) lines left out …"] : []) + tail
    }

    /// Whether a kept line contains a text.
    package func says(_ text: String) -> Bool { lines.contains { $0.contains(text) } }

    /// The last messages. A message that only repeats an error by its number is left out if there are others.
    package func last(_ count: Int) -> [String] {
        let words = all.filter { !FailureClassifier.isEcho($0) }
        return Array((words.isEmpty ? all : words).suffix(count))
    }

    mutating func append(_ line: String, isError: Bool = false) {
        let line = Self.cut(line)
        if isError, firstError == nil { firstError = line }
        if head.count < Self.headLines {
            head.append(line)
            return
        }
        // A message that is repeated must not displace the others.
        if line == tail.last {
            omitted += 1
            return
        }
        if tail.count == Self.tailLines {
            tail.removeFirst()
            omitted += 1
        }
        tail.append(line)
    }

    private static func cut(_ line: String) -> String {
        guard line.utf8.count > lineBytes else { return line }
        return String(decoding: line.utf8.prefix(lineBytes), as: UTF8.self) + "…"
    }
}
