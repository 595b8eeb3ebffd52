import CLinux
import Glibc
import SystemPackage

/// A file without a name, which one child writes and others read from its beginning.
final class MemoryFile: Sendable {
    private let descriptor: FileDescriptor

    init?(_ name: String, _ bytes: [UInt8] = []) {
        descriptor = FileDescriptor(rawValue: memfd_create(name, UInt32(MFD_CLOEXEC)))
        guard descriptor.rawValue >= 0, (try? descriptor.writeAll(bytes)) != nil else { return nil }
    }

    deinit { try? descriptor.close() }

    /// A new descriptor for a child that reads from the beginning.
    var reader: FileDescriptor? {
        try? FileDescriptor.open("/proc/self/fd/\(descriptor.rawValue)", .readOnly, options: .closeOnExec)
    }

    /// A new descriptor for a child that writes.
    var writer: FileDescriptor? { try? descriptor.duplicate() }

    var isEmpty: Bool { (try? descriptor.seek(offset: 0, from: .end)) ?? 0 == 0 }
}
