package import FFmpeg

/// The last ends of one supervised process: what happened, for whoever asks afterwards.
package struct ProcessHistory: Sendable, Hashable {
    package struct End: Sendable, Hashable {
        package var started: Timestamp
        package var ended: Timestamp
        /// `exited 1`, `signal 9`.
        package var status: ChildStatus
        /// `nil` when it was asked to end.
        package var cause: FailureCause?
        /// What it said last, secrets masked.
        package var lastLines: [String]
        /// What FFmpeg refused of its command line; `nil` where that is not why it ended.
        package var refused: String?
        /// What the peer said of it.
        package var words: String?

        /// For people, with what they can do; `nil` when it was asked to end.
        var sentence: String? { cause?.sentenceWithAdvice(quoting: words) }
    }

    /// How many ends are kept.
    package static let capacity = 10
    private static let linesKept = 3

    /// Oldest first.
    package private(set) var ends: [End] = []
    /// Ends of all time.
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
