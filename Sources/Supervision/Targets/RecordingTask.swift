import FFmpeg
import Glibc

/// What is done in the folder of a recording, by a process that does nothing else.
///
/// A disk may hang, and a thread that waits for one in the kernel cannot be ended: its whole process does not exit
/// then. So the service starts its own program with a hidden command for this, and touches no recording's disk itself.
package enum RecordingTask: Sendable, Hashable {
    /// Makes the folder, sees that it takes files and has room, and finds the number of a recording that begins now.
    case take
    /// Removes the files of a take that have nothing in them: a disk that became full left the last one empty, perhaps.
    case tidy(take: Int)
    /// Keeps the segments on the disk and within their bound in bytes, until it is ended or the service is gone.
    case keep(most: Int64?)

    /// How many bytes a recording has to have room for, so that it is begun: some seconds.
    private static let leastRoom = 1 << 20

    /// - Returns: `nil` for words that are no task.
    package init?(_ word: String, number: Int64?) {
        switch (word, number) {
        case ("take", nil): self = .take
        case ("tidy", let take?): self = .tidy(take: Int(take))
        case ("keep", let most): self = .keep(most: most)
        default: return nil
        }
    }

    /// The hidden command with its words, as ``init(_:number:)`` and the program read them.
    func arguments(folder: String, name: String) -> [String] {
        switch self {
        case .take: ["recording", "--", "take", folder, name]
        case .tidy(let take): ["recording", "--", "tidy", folder, name, "\(take)"]
        case .keep(let most): ["recording", "--", "keep", folder, name] + (most.map { ["\($0)"] } ?? [])
        }
    }

    /// Does it, and waits for the disk as long as that takes.
    ///
    /// - Returns: What the service is to be told.
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
