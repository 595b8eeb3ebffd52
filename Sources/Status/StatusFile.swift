import Glibc

/// Publishes a text for node-exporter's textfile collector: with mode 0644, written to a temporary file and renamed, so
/// that a reader always sees one whole text.
///
/// The calls block until the disk has answered.
package struct StatusFile: Sendable {
    /// The path of the file; it ends with `.prom`.
    package let path: String
    /// The collector ignores this name, because it does not end with `.prom`.
    private var temporary: String { path + ".new" }

    package init(path: String) {
        self.path = path
    }

    /// Why a text could not be published.
    package struct WriteError: Error, Sendable, Hashable, CustomStringConvertible {
        package var description: String

        package init(description: String) { self.description = description }
    }

    /// Replaces the published text.
    ///
    /// - Throws: ``WriteError``; then the previous text stays published.
    package func write(_ text: [UInt8]) throws(WriteError) {
        // A pipe or a device in its place would take the text, or block until a reader takes it.
        let file = open(temporary, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o644)
        guard file >= 0 else {
            guard errno == ENXIO || errno == ELOOP else { throw failure("cannot write") }
            throw obstacle
        }
        var about = stat()
        guard fstat(file, &about) == 0, about.st_mode & S_IFMT == S_IFREG else {
            close(file)
            throw obstacle
        }
        let isWritten = ftruncate(file, 0) == 0 && fchmod(file, 0o644) == 0 && Self.write(text, to: file)
        let problem = isWritten ? nil : failure("cannot write")
        // A full disk may fail only here.
        let isClosed = close(file) == 0
        if let problem {
            unlink(temporary)
            throw problem
        }
        guard isClosed, rename(temporary, path) == 0 else {
            let problem = failure("cannot publish")
            unlink(temporary)
            throw problem
        }
    }

    private static func write(_ text: [UInt8], to file: CInt) -> Bool {
        text.withUnsafeBytes { bytes in
            var rest = bytes
            while !rest.isEmpty {
                let count = Glibc.write(file, rest.baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
            return true
        }
    }

    /// Removes the file when the service ends, because its figures are then out of date.
    package func remove() {
        unlink(path)
    }

    private var obstacle: WriteError {
        WriteError(
            description:
                "cannot write the metrics file \(path): \(temporary) is in the way and is not a file; remove it")
    }

    private func failure(_ what: String) -> WriteError {
        let reason = errno
        let fix =
            switch reason {
            case ENOENT, ENOTDIR: "create its folder"
            case EACCES, EPERM, EROFS: "make its folder writable for the service's user"
            case ENOSPC, EDQUOT: "free some room"
            default: "check its file system"
            }
        return WriteError(
            description:
                """
                \(what) the metrics file \(path): \(String(cString: strerror(reason))); \(fix), or choose another \
                place with status.file
                """
        )
    }
}
