import Synchronization
import SystemPackage

/// The child's ends of its pipes. Every path closes them, and only the first call has an effect.
final class ChildEnds: Sendable {
    private let descriptors: Mutex<[FileDescriptor]>

    init(_ descriptors: FileDescriptor?...) {
        self.descriptors = Mutex(descriptors.compactMap { $0 })
    }

    /// /dev/null, for an end that is not given.
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
