import FFmpeg
import Glibc

/// A task in the folder of a recording, for a process that does nothing else.
///
/// A disk may hang. A thread that waits for it in the kernel cannot be ended, and its process does not exit. So the
/// service starts its own program with a hidden command for these tasks, and touches no recording's disk itself.
package enum RecordingTask: Sendable, Hashable {
    /// Makes the folder, checks that it takes files and has room, and finds the number of the recording that begins
    /// now.
    case take
    /// Removes the empty files of a take: a full disk may have left the last one empty.
    case tidy(take: Int)
    /// Flushes the segments to the disk and keeps them within their bound in bytes, until the process or the service
    /// ends.
    case keep(most: Int64?)

    /// The free bytes that a recording needs to begin: some seconds.
    private static let leastRoom = 1 << 20

    /// Reads a task; `nil` for words that are no task.
    package init?(_ word: String, number: Int64?) {
        switch (word, number) {
        case ("take", nil): self = .take
        case ("tidy", let take?): self = .tidy(take: Int(take))
        case ("keep", let most): self = .keep(most: most)
        default: return nil
        }
    }

    /// Returns the hidden command with its words, as ``init(_:number:)`` and the program read them.
    func arguments(folder: String, name: String) -> [String] {
        switch self {
        case .take: ["recording", "--", "take", folder, name]
        case .tidy(let take): ["recording", "--", "tidy", folder, name, "\(take)"]
        case .keep(let most): ["recording", "--", "keep", folder, name] + (most.map { ["\($0)"] } ?? [])
        }
    }

    /// Carries the task out, and waits for the disk as long as it takes.
    ///
    /// - Returns: The answer for the service.
    /// - Throws: ``StartError`` for a folder that cannot be used.
    package func run(folder: String, name: String) async throws(StartError) -> String {
        switch self {
        case .take:
            try Folder.make(folder, for: "target \(name)")
            try Folder.checkRoom(in: folder, bytes: Self.leastRoom, for: "target \(name)")
            return "\(RecordingFiles.nextTake(folder: folder, name: name, now: time(nil)))"
        case .tidy(let take):
            RecordingFiles.removeEmpty(folder: folder, name: name, take: take)
        case .keep(let most):
            let service = getppid()
            await RecordingPruner(folder: folder, name: name, most: most).run { getppid() == service }
        }
        return ""
    }
}
