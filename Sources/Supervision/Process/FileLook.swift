import FFmpeg

/// What lies at a path of a disk that may not answer; ``Disk`` looks.
package enum FileLook: Sendable, Hashable {
    /// The ``FileIdentity`` of the file, or ``none``.
    case found(String)
    /// The disk does not answer.
    case silent
    /// The look itself failed.
    case unknown

    /// Stands for a file that is not there.
    static let none = "none"

    /// What the child answers that looks. Waits for the disk as long as that takes.
    static func answer(for path: String) -> String { FileIdentity(path)?.description ?? none }
}
