package import BoxConfiguration
import FFmpeg
import FoundationEssentials
import Logging
import Synchronization

/// The files of the running service, on disks that may hang: each is read and written by a child of the service's own
/// program, which has a limit.
///
/// What lies in the runtime folder is touched directly: that is a file system in memory.
package final class Disk: Sendable {
    private struct State {
        /// Children that wait for a disk and cannot be ended, by the folder that they were to touch.
        var stuck: [String: Set<Int32>] = [:]
        /// The last write to a folder: the next begins behind it, so that the newest contents are what stays.
        var lastWrites: [String: Task<Void, Never>] = [:]
    }

    private let program: OwnProgram
    private let logger: Logger
    private let patience: OwnProgram.Patience
    private let state = Mutex(State())

    /// A child that hangs is found after a second more, and left to the kernel after one more: the operator has an
    /// answer within ten seconds.
    static let patience = OwnProgram.Patience(usual: .seconds(5), longest: .seconds(20))

    init(_ program: OwnProgram, patience: OwnProgram.Patience = Disk.patience, logger: Logger) {
        self.program = program
        self.patience = patience
        self.logger = logger
    }

    /// How a task ended.
    enum Outcome: Sendable, Equatable {
        case done([UInt8])
        /// It says what is wrong.
        case refused(String)
        /// The disk does not answer.
        case silent
        /// There was no process, or it ended before it had done its work.
        case failed(String)
    }

    /// What kept a file from being written.
    package struct Failure: Error, Sendable, Equatable, CustomStringConvertible {
        package var description: String
        /// The disk does not answer.
        package var isSilent = false
    }

    // MARK: Files

    /// Keeps something in a file, whole or not at all, and makes the folder of that.
    package func store(_ bytes: [UInt8], to path: String) async throws(Failure) {
        try check(await write(.store(path: path), bytes), "cannot write \(path)")
    }

    /// Keeps the first slate of a channel in place of the channel's others.
    func storeSlate(_ bytes: [UInt8], in folder: String, channel: String, digest: String) async throws(Failure) {
        let task = DiskTask.slate(folder: folder, channel: channel, digest: digest)
        try check(await write(task, bytes), "cannot write to \(folder)")
    }

    /// - Returns: `nil` where there is none, it has more bytes, or it cannot be read.
    func fetch(_ path: String, most: Int) async -> [UInt8]? {
        guard case .done(let bytes) = await perform(.fetch(path: path, most: most), answer: most) else { return nil }
        return bytes
    }

    /// Tells which file lies at a path.
    func look(at path: String) async -> FileLook {
        switch await perform(.look(path: path)) {
        case .done(let bytes):
            bytes.isEmpty ? .unknown : .found(OwnProgram.text(bytes))
        case .refused, .failed: .unknown
        case .silent: .silent
        }
    }

    /// Makes a FIFO unless it is there.
    ///
    /// - Returns: Why there is none.
    func makeFIFO(_ path: String) async -> String? {
        switch await perform(.fifo(path: path)) {
        case .done: nil
        case .refused(let sentence): sentence
        case .silent: "the FIFO \(path) cannot be made on a disk that does not answer"
        case .failed(let why): "the FIFO \(path) cannot be made: \(why)"
        }
    }

    /// A metrics file, which is written again and again.
    package func statusFile(_ path: String) -> StatusFileChild { StatusFileChild(path, program: program) }

    // MARK: Secrets and configuration

    /// The variable that names the folder of credentials. It is no secret, and no other child of the service gets it.
    private static let credentials = "CREDENTIALS_DIRECTORY"

    /// Reads a secret of a file or credential again; others need no disk.
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
        // Without a folder of credentials there is nothing to read, and the reference says so itself.
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

    /// A configuration with what is to be said of it, and the secrets that its files hold.
    package struct ReadConfiguration: Sendable {
        package var file: ConfigurationFile
        package var secrets: [String]
    }

    /// Reads and checks the configuration, with the files that it names.
    ///
    /// - Parameters:
    ///   - isOptional: The file need not be there.
    ///   - environment: The service's.
    /// - Returns: `nil` where there is none and need not be.
    /// - Throws: ``Failure`` with every mistake, a line each.
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
                throw Failure(description: "\(path): the process that read it gave something else")
            }
        case .refused(let sentences): throw Failure(description: sentences)
        case .silent:
            throw Failure(
                description: "\(path): the file, or one that it names, is on a disk that does not answer",
                isSilent: true)
        case .failed(let why): throw Failure(description: "\(path): the file cannot be read: \(why)")
        }
    }

    /// Bytes of a configuration as a child gives it, with secrets, notices and escapes.
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

    /// Writes behind what is being written to the same folder.
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

    /// - Parameters:
    ///   - input: What is to be written.
    ///   - answer: Bytes of its answer, at the most; a sentence has its place in any case.
    func perform(
        _ task: DiskTask, input: [UInt8]? = nil, answer most: Int = 0, variables: [String: String] = [:]
    ) async -> Outcome {
        // The next would wait behind it.
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

    /// Bytes of all mistakes of a configuration.
    private static let longestSentence = 1 << 20

    private func note(_ pid: Int32?, in folder: String) {
        guard let pid else { return }
        _ = state.withLock { $0.stuck[folder, default: []].insert(pid) }
        logger.error(
            "a process that looks after a file cannot be ended, for its disk does not answer; it is left to the kernel",
            metadata: ["folder": "\(folder)"])
    }

    /// A child waits for the folder's disk and cannot be ended.
    private func isStuck(_ folder: String) -> Bool {
        state.withLock { state in
            guard let stuck = state.stuck[folder] else { return false }
            let left = stuck.filter { !BoundedChild.hasEnded($0) }
            state.stuck[folder] = left.isEmpty ? nil : left
            return !left.isEmpty
        }
    }
}
