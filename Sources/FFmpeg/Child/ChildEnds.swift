import Synchronization
import SystemPackage

/// The ends of the pipes that a child gets. They are closed exactly once, on every path.
final class ChildEnds: Sendable {
    private let descriptors: Mutex<[FileDescriptor]>

    init(_ descriptors: FileDescriptor?...) {
        self.descriptors = Mutex(descriptors.compactMap { $0 })
    }

    /// Opens /dev/null, in place of an end that the caller did not give.
    func nullIfNeeded() throws -> FileDescriptor {
        let null = try FileDescriptor.open("/dev/null", .readWrite, options: .closeOnExec)
        add(null)
        return null
    }

    /// Takes ownership of one more descriptor.
    func add(_ descriptor: FileDescriptor) { descriptors.withLock { $0.append(descriptor) } }

    func close() {
        let open = descriptors.withLock { descriptors in
            defer { descriptors = [] }
            return descriptors
        }
        for descriptor in open { try? descriptor.close() }
    }
}
