package import FFmpeg

/// The last exits of one supervised process.
package struct ProcessHistory: Sendable, Hashable {
    package struct End: Sendable, Hashable {
        package var started: Timestamp
        package var ended: Timestamp
        /// `exited 1`, `signal 9`.
        package var status: ChildStatus
        /// `nil` if it was asked to end.
        package var cause: FailureCause?
        /// Its last lines, secrets masked.
        package var lastLines: [String]
        /// The part of its command line that FFmpeg refused. `nil` if it ended for another reason.
        package var refused: String?
        /// The words of the server about the failure. `nil` if it sent none.
        package var words: String?

        /// A sentence for display, with advice. `nil` if the process was asked to end.
        var sentence: String? { cause?.sentenceWithAdvice(quoting: words) }
    }

    /// The number of exits that are kept.
    package static let capacity = 10
    private static let linesKept = 3

    /// Oldest first.
    package private(set) var ends: [End] = []
    /// The number of all exits so far.
    package private(set) var count = 0

    package init() {}

    package mutating func add(_ exit: ChildExit, started: Timestamp, now: Timestamp = .now) {
        count += 1
        if ends.count == Self.capacity { ends.removeFirst() }
        ends.append(
            End(
                started: started, ended: now, status: exit.status, cause: exit.cause,
                lastLines: exit.log.last(Self.linesKept),
                refused: exit.cause == .unsupported ? RefusedOption(exit.log)?.description : nil,
                words: exit.cause?.isAnswer == true ? PeerWords.of(exit.log) : nil))
    }
}
