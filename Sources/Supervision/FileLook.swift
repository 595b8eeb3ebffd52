import FFmpeg

/// What lies at a path of a disk that may not answer.
public enum FileLook: Sendable, Hashable {
    /// The ``FileIdentity`` of the file, or ``none``.
    case found(String)
    /// The disk does not answer.
    case silent
    /// The look itself failed.
    case unknown

    /// Stands for a file that is not there.
    static let none = "none"

    /// Looks by a child of the service's own program, with a limit.
    static func at(_ path: String, by program: OwnProgram) async -> FileLook {
        let answer = await program.ask(arguments(path))
        return switch answer.exit.status {
        case .exited(0) where !answer.text.isEmpty: .found(answer.text)
        case .exited, .notStarted: .unknown
        case .signalled, .abandoned: .silent
        }
    }

    /// The hidden command with its words.
    static func arguments(_ path: String) -> [String] { ["identity", "--", path] }

    /// What the hidden command answers. Waits for the disk as long as that takes.
    public static func answer(for path: String) -> String { FileIdentity(path)?.description ?? none }
}
