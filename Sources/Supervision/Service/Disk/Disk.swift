package import BoxConfiguration
import FFmpeg
import FoundationEssentials
import Logging
import Synchronization

/// Reads and writes the files of the running service, whose disks may hang. Each access is made by a child that runs
/// the service's own program and has a time limit.
///
/// The runtime folder is accessed directly, because it is in memory.
package final class Disk: Sendable {
    private struct State {
        /// Children that wait for a disk and cannot be ended, by the folder that they were to access.
        var stuck: [String: Set<Int32>] = [:]
        /// The last write to each folder. The next one waits for it, so that the newest contents remain.
        var lastWrites: [String: Task<Void, Never>] = [:]
    }

    private let program: OwnProgram
    private let logger: Logger
    private let patience: OwnProgram.Patience
    private let state = Mutex(State())

    /// A hanging child is noticed a second later, and left to the kernel another second later. The operator has an
    /// answer within ten seconds.
    static let patience = OwnProgram.Patience(usual: .seconds(5), longest: .seconds(20))

    init(_ program: OwnProgram, patience: OwnProgram.Patience = Disk.patience, logger: Logger) {
        self.program = program
        self.patience = patience
        self.logger = logger
    }

    /// The result of a task.
    enum Outcome: Sendable, Equatable {
        case done([UInt8])
        /// The task failed. The sentence says why.
        case refused(String)
        /// The disk does not answer.
        case silent
        /// There was no process, or it ended before it had finished.
        case failed(String)
    }

    /// Why a file could not be written.
    package struct Failure: Error, Sendable, Equatable, CustomStringConvertible {
        package var description: String
        /// Whether the disk does not answer.
        package var isSilent = false
    }

    // MARK: Files

    /// Writes a file, completely or not at all, and creates its folder.
    package func store(_ bytes: [UInt8], to path: String) async throws(Failure) {
        try check(await write(.store(path: path), bytes), "cannot write \(path)")
    }

    /// Stores the first slate of a channel, and removes the channel's other slates.
    func storeSlate(_ bytes: [UInt8], in folder: String, channel: String, digest: String) async throws(Failure) {
        let task = DiskTask.slate(folder: folder, channel: channel, digest: digest)
        try check(await write(task, bytes), "cannot write to \(folder)")
    }

    /// - Returns: `nil` if there is no file, it is longer than `most`, or it cannot be read.
    func fetch(_ path: String, most: Int) async -> [UInt8]? {
        guard case .done(let bytes) = await perform(.fetch(path: path, most: most), answer: most) else { return nil }
        return bytes
    }

    /// Identifies the file at a path.
    func lookUp(_ path: String) async -> FileLookup {
        switch await perform(.lookUp(path: path)) {
        case .done(let bytes):
            bytes.isEmpty ? .unknown : .found(OwnProgram.text(bytes))
        case .refused, .failed: .unknown
        case .silent: .silent
        }
    }

    /// Creates a FIFO if it does not exist.
    ///
    /// - Returns: Why there is none. `nil` if it exists.
    func makeFIFO(_ path: String) async -> String? {
        switch await perform(.fifo(path: path)) {
        case .done: nil
        case .refused(let sentence): sentence
        case .silent:
            "the FIFO \(path) cannot be created on a disk that does not answer; check the disk, or name another path"
        case .failed(let why): "the FIFO \(path) cannot be created: \(why)"
        }
    }

    /// A metrics file, which is rewritten periodically.
    package func statusFile(_ path: String) -> StatusFileChild { StatusFileChild(path, program: program) }

    // MARK: Secrets and configuration

    /// The variable that names the credentials folder. It is not a secret, and no other child of the service gets it.
    private static let credentials = "CREDENTIALS_DIRECTORY"

    /// Reads the secret of a file or credential again. Other secrets need no disk.
    func secret(
        _ reference: SecretReference, as use: SecretUse, environment: [String: String]
    ) async throws(SecretError) -> Secret {
        let subject: String
        var variables: [String: String] = [:]
        switch reference {
        case .file(let path):
            subject = "the secret file \(path)"
        case .credential(let name):
            subject = "the credential \(name)"
            variables = environment.filter { $0.key == Self.credentials }
        case .env, .literal:
            return try reference.resolve(environment: environment, as: use)
        }
        // Without a credentials folder there is nothing to read, and the reference reports that itself.
        if case .credential = reference, (environment[Self.credentials] ?? "").isEmpty {
            return try reference.resolve(environment: environment, as: use)
        }
        switch await perform(.secret(reference, as: use), answer: SecretReference.limit, variables: variables) {
        case .done(let bytes): return Secret(String(decoding: bytes, as: UTF8.self))
        case .refused(let text):
            let parts = text.split(separator: " ", maxSplits: 1)
            let code = parts.first.flatMap { SecretError.Code(rawValue: String($0)) }
            let sentence = parts.count > 1 ? String(parts[1]) : text
            throw SecretError(code: code ?? .unreadable, description: sentence)
        case .silent:
            throw SecretError(
                code: .unreadable, description: "\(subject) cannot be read from a disk that does not answer")
        case .failed(let why): throw SecretError(code: .unreadable, description: "\(subject) cannot be read: \(why)")
        }
    }

    /// A configuration with its notices, and the secrets of its files.
    package struct ReadConfiguration: Sendable {
        package var file: ConfigurationFile
        package var secrets: [String]
    }

    /// Reads and checks the configuration, with the files that it names.
    ///
    /// - Parameters:
    ///   - isOptional: Whether the file may be missing.
    ///   - environment: The service's environment, which names the credentials folder.
    /// - Returns: `nil` if an optional file is missing.
    /// - Throws: ``Failure`` with every mistake, one a line.
    package func configuration(
        _ path: String, isOptional: Bool, environment: [String: String]
    ) async throws(Failure) -> ReadConfiguration? {
        let task = DiskTask.configuration(path: path, isOptional: isOptional)
        let variables = environment.filter { $0.key == Self.credentials }
        switch await perform(task, answer: Self.longestConfiguration, variables: variables) {
        case .done(let bytes) where bytes.isEmpty && isOptional: return nil
        case .done(let bytes):
            do {
                let read = try JSONDecoder().decode(DiskTask.Read.self, from: Data(bytes))
                let parsed = try ConfigurationFile.parse(
                    read.text.text, name: path, ownerOnly: read.text.ownerOnly, checksFiles: false)
                let file = ConfigurationFile(configuration: parsed.configuration, notices: read.notices)
                let secrets = parsed.configuration.secretValues(environment: environment, readsFiles: false)
                return ReadConfiguration(file: file, secrets: secrets + read.secrets)
            } catch let error as ConfigurationError {
                throw Failure(description: "\(error)")
            } catch {
                throw Failure(description: "\(path): the process that read it gave an unknown answer; see the log")
            }
        case .refused(let sentences): throw Failure(description: sentences)
        case .silent:
            throw Failure(
                description: "\(path): the file, or a file that it names, is on a disk that does not answer",
                isSilent: true)
        case .failed(let why): throw Failure(description: "\(path): the file cannot be read: \(why)")
        }
    }

    /// The most bytes of a configuration as a child returns it, with secrets, notices and escapes.
    private static let longestConfiguration = 8 << 20

    // MARK: Children

    private func check(_ outcome: Outcome, _ what: String) throws(Failure) {
        switch outcome {
        case .done: break
        case .refused(let sentence): throw Failure(description: sentence)
        case .silent: throw Failure(description: "\(what), whose disk does not answer", isSilent: true)
        case .failed(let why): throw Failure(description: "\(what): \(why)")
        }
    }

    /// Writes after the last write to the same folder has ended.
    private func write(_ task: DiskTask, _ bytes: [UInt8]) async -> Outcome {
        let write = state.withLock { state in
            let before = state.lastWrites[task.folder]
            let write = Task {
                await before?.value
                return await self.perform(task, input: bytes)
            }
            state.lastWrites[task.folder] = Task { _ = await write.value }
            return write
        }
        return await withTaskCancellationHandler {
            await write.value
        } onCancel: {
            write.cancel()
        }
    }

    /// Runs a task in a child.
    ///
    /// - Parameters:
    ///   - input: The data to write.
    ///   - answer: The most bytes of its answer. A sentence always fits.
    func perform(
        _ task: DiskTask, input: [UInt8]? = nil, answer most: Int = 0, variables: [String: String] = [:]
    ) async -> Outcome {
        // Another child would wait for the same disk.
        if isStuck(task.folder) { return .silent }
        let answer = await program.ask(
            task.arguments, input: input, most: max(most, Self.longestSentence), variables: variables,
            patience: patience)
        switch answer.exit.status {
        case .exited(0): return .done(answer.bytes)
        case .exited(DiskTask.refusal): return .refused(answer.text)
        case .exited(let code): return .failed("its process ended with \(code)")
        case .notStarted(let reason): return .failed(reason)
        case .abandoned: note(answer.pid, in: task.folder)
        case .signalled: break
        }
        return Task.isCancelled ? .failed("the service is stopping") : .silent
    }

    /// The most bytes of all mistakes of a configuration.
    private static let longestSentence = 1 << 20

    private func note(_ pid: Int32?, in folder: String) {
        guard let pid else { return }
        _ = state.withLock { $0.stuck[folder, default: []].insert(pid) }
        logger.error(
            "a process that waits for a disk cannot be ended and is left to the kernel",
            metadata: ["folder": "\(folder)"])
    }

    /// Whether a child waits for the folder's disk and cannot be ended.
    private func isStuck(_ folder: String) -> Bool {
        state.withLock { state in
            guard let stuck = state.stuck[folder] else { return false }
            let left = stuck.filter { !BoundedChild.hasEnded($0) }
            state.stuck[folder] = left.isEmpty ? nil : left
            return !left.isEmpty
        }
    }
}
