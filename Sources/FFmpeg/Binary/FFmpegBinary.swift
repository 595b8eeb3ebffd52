import Glibc
import Subprocess
import SystemPackage

/// The `ffmpeg` program in use.
public struct FFmpegBinary: Sendable, Hashable {
    /// Absolute, or as configured.
    public let path: String
    public let version: FFmpegVersion

    public init(path: String, version: FFmpegVersion) {
        self.path = path
        self.version = version
    }

    /// How long it may take to answer: seconds where its libraries come from a slow disk while the box boots.
    public static let patience = Duration.seconds(30)

    /// Finds the program and asks it for its version (about 80 ms with Debian's 5.1).
    ///
    /// - Parameters:
    ///   - configured: the configured path; without it the first `ffmpeg` on the PATH.
    ///   - environment: where `PATH` is read, and what the program may see of it.
    ///   - limit: how long it may take to answer.
    public static func locate(
        _ configured: String?, environment: [String: String], limit: Duration = patience
    ) async throws(FFmpegBinaryError) -> FFmpegBinary {
        let path = try find(configured, environment: environment)
        return try binary(at: path, await ask(path, version, environment: environment, limit: limit), limit: limit)
    }

    /// What an FFmpeg is, the names of all encoders compiled in, and what to remember of that. Listing is not having: only a
    /// trial encode proves one.
    public struct Listing: Sendable {
        public let binary: FFmpegBinary
        public let encoders: Set<String>
        /// `nil` where it has to be asked each time.
        public let knowledge: FFmpegKnowledge?
    }

    /// Does the same, and asks it for its encoders at the same time.
    ///
    /// - Parameter known: What was found out earlier; where the files are still the same, nothing is asked.
    public static func locateListing(
        _ configured: String?, environment: [String: String], known: FFmpegKnowledge? = nil, limit: Duration = patience
    ) async throws(FFmpegBinaryError) -> Listing {
        let path = try find(configured, environment: environment)
        // Before it is asked: what changes meanwhile is asked for again.
        let files = FFmpegKnowledge.Files(path, environment: environment)
        if let known, known.files == files, let version = FFmpegVersion(output: known.version), version.isSupported {
            return Listing(binary: FFmpegBinary(path: path, version: version), encoders: Set(known.encoders), knowledge: known)
        }
        async let about = ask(path, version, environment: environment, limit: limit)
        async let list = ask(path, ["-hide_banner", "-encoders"], environment: environment, limit: limit)
        let answer = await about
        let binary = try binary(at: path, answer, limit: limit)
        switch await list {
        case .hung: throw .hung(path: path, seconds: Int(limit.components.seconds))
        case .unstartable(let reason): throw .failed(path: path, reason: reason)
        case .output(let text, _):
            let encoders = encoders(in: text)
            guard case .output(let version, _) = answer, let files else { return Listing(binary: binary, encoders: encoders, knowledge: nil) }
            return Listing(binary: binary, encoders: encoders, knowledge: FFmpegKnowledge(version: version, encoders: encoders.sorted(), files: files))
        }
    }

    private static let version = ["-hide_banner", "-version"]

    private static func binary(at path: String, _ answer: Answer, limit: Duration) throws(FFmpegBinaryError) -> FFmpegBinary {
        switch answer {
        case .hung:
            throw .hung(path: path, seconds: Int(limit.components.seconds))
        case .unstartable(let reason):
            throw .failed(path: path, reason: reason)
        case .output(let text, let status):
            guard let version = FFmpegVersion(output: text) else {
                // A library that is missing speaks through the loader, with status 127.
                if status == .exited(127) {
                    throw .failed(path: path, reason: "a shared library of it is missing")
                }
                throw .notFFmpeg(path: path)
            }
            guard version.isSupported else {
                throw .tooOld(path: path, version: version.text)
            }
            return FFmpegBinary(path: path, version: version)
        }
    }

    /// Reads the output of `ffmpeg -encoders`: ` V....D libx264   libx264 H.264 …` after a line of dashes.
    static func encoders(in text: String) -> Set<String> {
        let lines = text.split(whereSeparator: \.isNewline)
        let table = lines.drop { !$0.contains("------") }.dropFirst()
        return Set(
            table.compactMap { line in
                let fields = line.split(separator: " ", maxSplits: 2)
                return fields.count >= 2 ? String(fields[1]) : nil
            })
    }

    private static func find(
        _ configured: String?, environment: [String: String]
    ) throws(FFmpegBinaryError) -> String {
        if let configured {
            guard access(configured, F_OK) == 0 else { throw .missing(path: configured) }
            guard isProgram(configured) else { throw .notExecutable(path: configured) }
            return configured
        }
        guard let found = Program.onPath("ffmpeg", environment: environment) else { throw .notOnPath }
        return found
    }

    private static func isProgram(_ path: String) -> Bool { Program.isProgram(path) }

    private enum Answer: Sendable {
        case output(String, TerminationStatus)
        case unstartable(String)
        case hung
    }

    private static func ask(
        _ path: String, _ arguments: [String], environment: [String: String], limit: Duration
    ) async -> Answer {
        var options = PlatformOptions()
        // A session of its own: a wrapper script that hangs takes its children with it.
        options.createSession = true
        options.teardownSequence = [
            .send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .seconds(1))
        ]
        let configuration = Configuration(
            executable: .path(FilePath(path)), arguments: Arguments(arguments),
            environment: ChildEnvironment.subprocess(ChildEnvironment.reduced(environment)),
            platformOptions: options)
        return await withTaskGroup(of: Answer?.self) { group in
            group.addTask {
                do {
                    let result = try await Subprocess.run(
                        configuration, input: .none, output: .string(limit: 1 << 20), error: .discarded)
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
