import FFmpeg

/// The result of looking for a file on a disk that may not answer. ``Disk`` looks.
package enum FileLook: Sendable, Hashable {
    /// The ``FileIdentity`` of the file, or ``none``.
    case found(String)
    /// The disk does not answer.
    case silent
    /// The look itself failed.
    case unknown

    /// The identity of a file that does not exist.
    static let none = "none"

    /// Looks for the file, in the child process. Waits for the disk without a limit.
    static func answer(for path: String) -> String { FileIdentity(path)?.description ?? none }
}
