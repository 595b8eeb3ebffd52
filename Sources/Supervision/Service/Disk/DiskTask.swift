package import BoxConfiguration
import FoundationEssentials
import Glibc
package import SystemPackage
import SystemSupport

/// An access to a file of the service, made by a process that does nothing else: a disk may hang, and a thread that
/// waits for one in the kernel keeps its process from ending.
///
/// The service starts its own program with a hidden command for this, see ``Disk``. Data to write comes on standard
/// input, and data that was read goes to standard output, so that no argument can contain a secret.
package enum DiskTask: Sendable, Equatable {
    /// Identifies the file at a path, as ``FileLookup`` does.
    case lookUp(path: String)
    /// Reads a file of at most `most` bytes.
    case fetch(path: String, most: Int)
    /// Writes its input to a file, and creates the folder.
    case store(path: String)
    /// Writes its input as the slate of a channel, and removes the channel's other slates.
    case slate(folder: String, channel: String, digest: String)
    /// Reads the secret of a file or a credential.
    case secret(SecretReference, as: SecretUse)
    /// Reads and checks the configuration, with the files that it names.
    case configuration(path: String, isOptional: Bool)
    /// Creates the FIFO of a raw source if it does not exist.
    case fifo(path: String)
    /// Publishes the metrics that it receives, one text after the other, until the input ends.
    case publish(path: String)

    /// The exit status after a sentence that says what failed. It differs from that of a crash or of wrong usage.
    static let refusal: CInt = 3

    // MARK: Words

    /// - Returns: `nil` if the words are not a task.
    package init?(_ words: [String]) {
        guard let task = Self.read(words) else { return nil }
        self = task
    }

    private static func read(_ words: [String]) -> DiskTask? {
        switch (words.first ?? "", words.count) {
        case ("look", 2): .lookUp(path: words[1])
        case ("fetch", 3): Int(words[2]).map { .fetch(path: words[1], most: $0) }
        case ("store", 2): .store(path: words[1])
        case ("slate", 4): .slate(folder: words[1], channel: words[2], digest: words[3])
        case ("secret", 4): secretTask(words)
        case ("configuration", 2): .configuration(path: words[1], isOptional: false)
        case ("configuration-if-any", 2): .configuration(path: words[1], isOptional: true)
        case ("fifo", 2): .fifo(path: words[1])
        case ("publish", 2): .publish(path: words[1])
        default: nil
        }
    }

    private static func secretTask(_ words: [String]) -> DiskTask? {
        guard let use = SecretUse(rawValue: words[3]) else { return nil }
        return switch words[1] {
        case "file": .secret(.file(words[2]), as: use)
        case "credential": .secret(.credential(words[2]), as: use)
        default: nil
        }
    }

    /// The hidden command with its words, as ``init(_:)`` reads them.
    var arguments: [String] { ["disk", "--"] + words }

    private var words: [String] {
        switch self {
        case .lookUp(let path): ["look", path]
        case .fetch(let path, let most): ["fetch", path, "\(most)"]
        case .store(let path): ["store", path]
        case .slate(let folder, let channel, let digest): ["slate", folder, channel, digest]
        case .secret(.file(let path), let use): ["secret", "file", path, use.rawValue]
        case .secret(.credential(let name), let use): ["secret", "credential", name, use.rawValue]
        case .secret(.env, _), .secret(.literal, _): preconditionFailure("this secret is not on a disk")
        case .configuration(let path, let isOptional): [isOptional ? "configuration-if-any" : "configuration", path]
        case .fifo(let path): ["fifo", path]
        case .publish(let path): ["publish", path]
        }
    }

    /// The folder that it accesses. While one child waits for its disk, others wait for that child.
    var folder: String {
        switch self {
        case .lookUp(let path), .fetch(let path, _), .store(let path), .configuration(let path, _), .fifo(let path),
            .publish(let path), .secret(.file(let path), _):
            Self.folder(of: path)
        case .slate(let folder, _, _): folder
        case .secret: "$CREDENTIALS_DIRECTORY"
        }
    }

    /// The folder of a path: `/a` for `/a/b`.
    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    // MARK: The work

    /// A configuration as a child reads it.
    struct Read: Codable, Sendable {
        var text: ConfigurationFile.Text
        var notices: [ConfigurationProblem]
        /// The secrets of its files, if they can be read.
        var secrets: [String]
    }

    /// Carries out the task, and waits for the disk as long as that takes.
    ///
    /// - Parameters:
    ///   - environment: Contains the credentials folder.
    ///   - input: The data to write.
    ///   - output: Receives the data that was read, or a sentence that says what failed.
    /// - Returns: The exit status.
    package func run(environment: [String: String], input: FileDescriptor, output: FileDescriptor) -> CInt {
        if case .publish(let path) = self {
            StatusFileTask(path: path).run(input: input, output: output)
            return 0
        }
        do {
            try output.writeAll(try answer(environment: environment, input: input))
            return 0
        } catch let refusal as Refusal {
            _ = try? output.writeAll(refusal.sentence.utf8)
            return Self.refusal
        } catch {
            return 1
        }
    }

    private struct Refusal: Error {
        var sentence: String
    }

    private func answer(environment: [String: String], input: FileDescriptor) throws -> [UInt8] {
        switch self {
        case .lookUp(let path):
            return Array(FileLookup.answer(for: path).utf8)
        case .fetch(let path, let most):
            guard let bytes = Self.read(path, most: most) else { throw Refusal(sentence: "none") }
            return bytes
        case .store(let path):
            try Self.keep(try Self.readAll(input), at: path)
        case .slate(let folder, let channel, let digest):
            SlateStore(folder: folder).write(try Self.readAll(input), digest, of: channel)
        case .secret(let reference, let use):
            do {
                return Array(try reference.resolve(environment: environment, as: use).reveal().utf8)
            } catch {
                throw Refusal(sentence: "\(error.code.rawValue) \(error)")
            }
        case .configuration(let path, let isOptional):
            if isOptional, access(path, F_OK) != 0 { return [] }
            return try Self.readConfiguration(path, environment: environment)
        case .fifo(let path):
            if let problem = Self.makeFIFO(path) { throw Refusal(sentence: problem) }
        case .publish:
            break
        }
        return []
    }

    private static func read(_ path: String, most: Int) -> [UInt8]? {
        let options: FileDescriptor.OpenOptions = [.closeOnExec, .nonBlocking]
        guard let file = try? FileDescriptor.open(path, .readOnly, options: options) else { return nil }
        defer { try? file.close() }
        var info = stat()
        guard fstat(file.rawValue, &info) == 0, info.st_mode & S_IFMT == S_IFREG, info.st_size <= most else {
            return nil
        }
        return try? readAll(file)
    }

    private static func readAll(_ file: FileDescriptor) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = try piece.withUnsafeMutableBytes { try file.read(into: $0) }
            guard count > 0 else { return bytes }
            bytes += piece.prefix(count)
        }
    }

    private static func keep(_ bytes: [UInt8], at path: String) throws {
        do {
            try Folder.make(folder(of: path), for: "the service")
        } catch {
            throw Refusal(sentence: "\(error)")
        }
        do {
            try DurableFile.write(bytes, to: path, permissions: [.ownerReadWrite, .groupRead, .otherRead])
        } catch {
            throw Refusal(sentence: "cannot write \(path): \(error)")
        }
    }

    private static func readConfiguration(_ path: String, environment: [String: String]) throws -> [UInt8] {
        do {
            let text = try ConfigurationFile.read(path: path)
            let file = try ConfigurationFile.parse(text.text, name: path, ownerOnly: text.ownerOnly)
            let secrets = file.configuration.secretValues(environment: environment)
            return [UInt8](try JSONEncoder().encode(Read(text: text, notices: file.notices, secrets: secrets)))
        } catch let error as ConfigurationError {
            throw Refusal(sentence: "\(error)")
        }
    }

    /// - Returns: Why there is none. `nil` if it exists.
    private static func makeFIFO(_ path: String) -> String? {
        var info = stat()
        if stat(path, &info) != 0 {
            guard mkfifo(path, 0o660) != 0 else { return nil }
            let reason = String(cString: strerror(errno))
            let fix = "create its folder and let the service's user write to it, or name another path"
            return "the FIFO \(path) cannot be created: \(reason); \(fix)"
        }
        return info.st_mode & S_IFMT == S_IFIFO ? nil : "\(path) is not a FIFO; remove it, or name another path"
    }
}
