/// Something that an operator should act on.
package struct Problem: Sendable, Hashable, Codable {
    /// The kinds of problems, as words for programs. Each has a section in docs/operations.md.
    package enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        case noSource = "no-source"
        case sourceAbsent = "source-absent"
        case sourceFailed = "source-failed"
        case groupStalled = "group-stalled"
        case noEncoder = "no-encoder"
        /// The group is on air with another encoder than its configuration asks for, or with less than it asks for.
        case groupDegraded = "group-degraded"
        case targetRefused = "target-refused"
        case targetDown = "target-down"
        case targetSlow = "target-slow"
        case ffmpegUnsupported = "ffmpeg-unsupported"
        case gpuGone = "gpu-gone"
        case gpuQuarantined = "gpu-quarantined"
        case gpuPermission = "gpu-permission"
        case statusFileUnwritable = "status-file"
        case statusPortUnavailable = "status-port"
        case stateFileUnwritable = "state-file"
        case reloadFailed = "reload-failed"
    }

    package var problem: Kind
    /// The part that has the problem: `target twitch`.
    package var subject: String
    /// A sentence that says what happened and what to do.
    package var sentence: String

    package init(_ problem: Kind, subject: String, sentence: String) {
        self.problem = problem
        self.subject = subject
        self.sentence = sentence
    }
}
