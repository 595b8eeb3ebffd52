import Foundation

/// Finds processes that should have ended.
///
/// Every program of a `Stage` has a mark in its environment, and its children inherit it. So the leftovers of a stage
/// are found even if their parent has changed, and tests that run beside it do not disturb the count.
package enum Leftovers {
    package struct Process: Sendable, CustomStringConvertible, Hashable {
        package let pid: Int32
        package let parent: Int32
        /// The process group.
        package let group: Int32
        /// The state as in ps(1): R, S, D, T, Z.
        package let state: Character
        package let command: String
        package var isZombie: Bool { state == "Z" }
        package var description: String { "\(pid) (parent \(parent), \(state)): \(command)" }
    }

    static let variable = "STREAMBOX_TEST_STAGE"

    /// Every running process with the mark.
    package static func marked(_ mark: String) -> [Process] {
        let wanted = Array("\(variable)=\(mark)".utf8)
        return all().filter { process in
            guard let data = KernelFile.bytes("/proc/\(process.pid)/environ") else { return false }
            return data.split(separator: 0).contains { $0.elementsEqual(wanted) }
        }
    }

    /// The children of a process, zombies included; of this process by default.
    ///
    /// Tests that run in parallel have children too: use this in a serialised suite, or only for `isZombie`.
    package static func children(of pid: Int32? = nil) -> [Process] {
        let parent = pid ?? getpid()
        return all().filter { $0.parent == parent }
    }

    /// The children of a process, their children, and so on.
    package static func descendants(of pid: Int32) -> [Process] {
        let everyone = Dictionary(grouping: all(), by: \.parent)
        var found: [Process] = []
        var next = [pid]
        while let parent = next.popLast() {
            for child in everyone[parent] ?? [] {
                found.append(child)
                next.append(child.pid)
            }
        }
        return found
    }

    /// Waits until this process has no child, for the end of a serialised suite.
    package static func expectNoChildren(
        within limit: Duration = .seconds(5), file: String = #fileID, line: Int = #line
    ) async throws {
        do {
            try await eventually("no child to be left", within: limit, file: file, line: line) {
                children().isEmpty
            }
        } catch let error as WaitedInVain {
            throw WaitedInVain(
                what: error.what, limit: error.limit, place: error.place,
                seen: children().map(\.description).joined(separator: "; "))
        }
    }

    static func members(ofGroup group: Int32) -> [Process] {
        all().filter { $0.group == group }
    }

    private static func all() -> [Process] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { Int32($0) }.compactMap(process)
    }

    private static func process(_ pid: Int32) -> Process? {
        guard let text = KernelFile.text("/proc/\(pid)/stat") else { return nil }
        // pid (name) state ppid …; the name may contain spaces and parentheses.
        guard let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 1, let state = fields[0].first, let parent = Int32(fields[1]) else {
            return nil
        }
        let group = fields.count > 2 ? Int32(fields[2]) ?? 0 : 0
        let words = KernelFile.bytes("/proc/\(pid)/cmdline") ?? []
        let command = words.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        let name = text[..<end].drop { $0 != "(" }.dropFirst()
        return Process(
            pid: pid, parent: parent, group: group, state: state,
            command: command.isEmpty ? String(name) : command.joined(separator: " "))
    }
}
