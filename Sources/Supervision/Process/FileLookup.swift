import FFmpeg

/// The result of looking up a file on a disk that may not answer, see ``Disk``.
package enum FileLookup: Sendable, Hashable {
    /// The ``FileIdentity`` of the file, or ``none``.
    case found(String)
    /// The disk does not answer.
    case silent
    /// The lookup itself failed.
    case unknown

    /// The identity of a file that does not exist.
    static let none = "none"

    /// The answer of the child process that looks up the file. The call waits for the disk without a limit.
    static func answer(for path: String) -> String { FileIdentity(path)?.description ?? none }
}
