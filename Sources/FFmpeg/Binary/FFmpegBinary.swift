import Glibc
import Subprocess
import SystemPackage

/// The `ffmpeg` program that the service uses.
package struct FFmpegBinary: Sendable, Hashable {
    /// An absolute path, or the path as configured.
    package let path: String
    package let capabilities: FFmpegCapabilities

    package var version: FFmpegVersion { capabilities.version }

    package init(path: String, capabilities: FFmpegCapabilities) {
        self.path = path
        self.capabilities = capabilities
    }

    /// How long it may take to answer: seconds if its libraries are read from a slow disk while the box boots.
    package static let patience = Duration.seconds(30)

    /// A program that was found, and the knowledge about it that can be stored.
    package struct Located: Sendable {
        package let binary: FFmpegBinary
        /// `nil` if it has to be asked each time.
        package let knowledge: FFmpegKnowledge?
    }

    /// Finds the program and asks for its capabilities: a process of about 80 ms for each question, two at a time.
    ///
    /// - Parameters:
    ///   - configured: The configured path. Without it, the first `ffmpeg` on the PATH.
    ///   - environment: Contains `PATH`, and the variables that the program may see.
    ///   - known: Stored knowledge. If the files are unchanged, nothing is asked.
    ///   - limit: How long each question may take.
    package static func locate(
        _ configured: String?, environment: [String: String], known: FFmpegKnowledge? = nil, limit: Duration = patience
    ) async throws(FFmpegBinaryError) -> Located {
        let path = try find(configured, environment: environment)
        // Read before the questions, so that a file that changes meanwhile is noticed the next time.
        let files = FFmpegKnowledge.Files(path, environment: environment)
        if let known, known.files == files {
            return Located(binary: FFmpegBinary(path: path, capabilities: known.capabilities), knowledge: known)
        }
        // Asked first and alone: a program that is not FFmpeg might do anything when it gets another question.
        let version = try version(
            at: path, await ask(path, .version, environment: environment, limit: limit), limit: limit)
        let capabilities = try await capabilities(path, version, environment: environment, limit: limit)
        return Located(
            binary: FFmpegBinary(path: path, capabilities: capabilities),
            knowledge: files.map { FFmpegKnowledge(capabilities: capabilities, files: $0) })
    }

    private static func capabilities(
        _ path: String, _ version: FFmpegVersion, environment: [String: String], limit: Duration
    ) async throws(FFmpegBinaryError) -> FFmpegCapabilities {
        var remaining = CapabilityQuestions.allCases.filter { $0 != .version }
        var answers: [CapabilityQuestions: Answer] = [:]
        await withTaskGroup(of: (CapabilityQuestions, Answer).self) { group in
            func askNext() {
                guard let question = remaining.popLast() else { return }
                group.addTask { (question, await ask(path, question, environment: environment, limit: limit)) }
            }
            for _ in 0..<2 { askNext() }
            while let (question, answer) = await group.next() {
                answers[question] = answer
                askNext()
            }
        }
        /// Returns the usual list if the answer is empty: a wrapper script did not pass it on, or FFmpeg was
        /// interrupted. A part that this FFmpeg lacks is then noticed when it is used.
        func list(_ names: Set<String>, or usual: Set<String>) -> Set<String> { names.isEmpty ? usual : names }
        let usual = FFmpegCapabilities.complete(version)
        func text(_ question: CapabilityQuestions) throws(FFmpegBinaryError) -> String {
            switch answers[question] {
            case .output(let text, _): return text
            case .unstartable(let reason): throw .failed(path: path, reason: reason)
            case .hung, nil: throw .hung(path: path, seconds: Int(limit.components.seconds))
            }
        }
        let protocols = CapabilityQuestions.protocols(in: try text(.protocols))
        let formats = CapabilityQuestions.formats(in: try text(.formats))
        var acceptsRate = false
        if case .output(_, .exited(0)) = answers[.rateWithPassthrough] { acceptsRate = true }
        // If FFmpeg lacks that format and cannot answer, the version decides.
        var reachesOutput = usual.presetReachesOutput
        if case .output(let text, .exited(0)) = answers[.preset] { reachesOutput = !text.hasPrefix("SHA256") }
        return FFmpegCapabilities(
            version: version,
            encoders: list(CapabilityQuestions.encoders(in: try text(.encoders)), or: usual.encoders),
            decoders: list(CapabilityQuestions.decoders(in: try text(.decoders)), or: usual.decoders),
            filters: list(CapabilityQuestions.filters(in: try text(.filters)), or: usual.filters),
            bitstreamFilters: list(
                CapabilityQuestions.names(in: try text(.bitstreamFilters)), or: usual.bitstreamFilters),
            inputProtocols: list(protocols.input, or: usual.inputProtocols),
            outputProtocols: list(protocols.output, or: usual.outputProtocols),
            demuxers: list(formats.demuxers, or: usual.demuxers), muxers: list(formats.muxers, or: usual.muxers),
            options: list(CapabilityQuestions.options(in: try text(.options)), or: usual.options),
            srtOptions: CapabilityQuestions.privateOptions(in: try text(.srtOptions)),
            rtspOptions: CapabilityQuestions.privateOptions(in: try text(.rtspOptions)),
            x265Options: CapabilityQuestions.privateOptions(in: try text(.x265Options)),
            hwaccels: CapabilityQuestions.names(in: try text(.hwaccels)),
            acceptsRateWithPassthrough: acceptsRate, presetReachesOutput: reachesOutput)
    }

    private static func version(at path: String, _ answer: Answer, limit: Duration) throws(FFmpegBinaryError)
        -> FFmpegVersion
    {
        switch answer {
        case .hung:
            throw .hung(path: path, seconds: Int(limit.components.seconds))
        case .unstartable(let reason):
            throw .failed(path: path, reason: reason)
        case .output(let text, let status):
            guard let version = FFmpegVersion(output: text) else {
                // The loader reports a missing library, with status 127.
                if status == .exited(127) {
                    throw .failed(path: path, reason: "a shared library of it is missing")
                }
                throw .notFFmpeg(path: path)
            }
            guard version.isSupported else {
                throw .tooOld(path: path, version: version.text)
            }
            return version
        }
    }

    private static func find(
        _ configured: String?, environment: [String: String]
    ) throws(FFmpegBinaryError) -> String {
        if let configured {
            guard access(configured, F_OK) == 0 else { throw .missing(path: configured) }
            guard isProgram(configured) else { throw .notExecutable(path: configured) }
            return configured
        }
        guard let found = ExecutableSearch.onPath("ffmpeg", environment: environment) else { throw .notOnPath }
        return found
    }

    private static func isProgram(_ path: String) -> Bool { ExecutableSearch.isProgram(path) }

    private enum Answer: Sendable {
        case output(String, TerminationStatus)
        case unstartable(String)
        case hung
    }

    private static func ask(
        _ path: String, _ question: CapabilityQuestions, environment: [String: String], limit: Duration
    ) async -> Answer {
        var options = PlatformOptions()
        // A session of its own, so that the children of a hanging wrapper script are ended with it.
        options.createSession = true
        options.teardownSequence = [
            .send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .seconds(1))
        ]
        let configuration = Configuration(
            executable: .path(FilePath(path)), arguments: Arguments(question.arguments),
            environment: ChildEnvironment.subprocess(ChildEnvironment.reduced(environment)),
            platformOptions: options)
        return await withTaskGroup(of: Answer?.self) { group in
            group.addTask {
                do {
                    let result = try await Subprocess.run(
                        configuration, input: .array(Array(question.input.utf8)), output: .string(limit: 1 << 20),
                        error: .discarded)
                    return .output(result.standardOutput, result.terminationStatus)
                } catch {
                    return .unstartable("\(error)")
                }
            }
            group.addTask {
                (try? await Task.sleep(for: limit)) == nil ? nil : .hung
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first ?? .hung
        }
    }
}
