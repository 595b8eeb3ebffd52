import Redaction

/// One FFmpeg command line as a value. No argument holds a secret: secrets are passed in a ``SecretFile``.
package struct FFmpegCommand: Sendable, Hashable {
    /// The purpose of the process.
    package enum Role: String, Sendable, Hashable, CaseIterable {
        case relay
        case encoder
        case publisher
        /// Encodes a few frames to check whether an encoder works.
        case trial
        /// Renders the slate.
        case slate
        /// Converts the audio of a publisher whose video needs no process. `streambox plan` shows it as `sound`.
        case audioConverter = "sound"
    }

    package let role: Role
    /// The arguments, without the program's name. A ``SecretFile/token`` stands for the path of the secret file.
    package let arguments: [String]
    package let secretFile: SecretFile?
    /// Variables added to the reduced environment of the service.
    package let environment: [String: String]

    package init(
        role: Role, arguments: [String], secretFile: SecretFile? = nil, environment: [String: String] = [:]
    ) {
        self.role = role
        self.arguments = arguments
        self.secretFile = secretFile
        self.environment = environment
    }

    /// The values that its secret file carries.
    package var secrets: [String] { secretFile?.secrets ?? [] }

    /// Whether its own input or output is a file: a recording, or a file source.
    var usesDisk: Bool {
        switch role {
        case .publisher: arguments.last?.contains("://") == false
        case .relay: arguments.contains { $0.hasPrefix("file:") }
        case .encoder, .trial, .slate, .audioConverter: false
        }
    }

    /// Returns the same command, limited to the given length of output.
    package func limited(toSeconds seconds: String) -> FFmpegCommand {
        FFmpegCommand(
            role: role, arguments: arguments.dropLast() + ["-t", seconds] + arguments.suffix(1), secretFile: secretFile,
            environment: environment)
    }

    /// Program and arguments for display or for JSON, with secrets masked.
    package func maskedArguments(program: String = "ffmpeg") -> [String] {
        // A second protection: no builder puts an address with a secret into the arguments.
        [program] + arguments.map(URLMask.maskAll(in:))
    }

    /// Joins words to a shell command line, quoted where necessary.
    package static func shellLine(_ words: [String]) -> String {
        words.map(ShellQuoting.quoted).joined(separator: " ")
    }

    /// The arguments, with the secret file's token replaced by its path.
    func arguments(withSecretAt path: String) -> [String] {
        guard let secretFile else { return arguments }
        return arguments.map { $0 == secretFile.token ? path : $0 }
    }

    /// The first options of every process: messages carry their level, and an encoder writes its figures to stderr.
    ///
    /// The data path measures the figures of the other processes. The period still matters for all: since FFmpeg 7 it
    /// is also how long a process may take to notice a signal or the failure of one of its threads (`sch_wait` in
    /// fftools/ffmpeg_sched.c): 52 s seen with a period of a minute, and a quarter of a second at each error of a GPU
    /// with half a second.
    ///
    /// - Parameters:
    ///   - isTalkative: Logs at level `verbose`.
    ///   - describesInput: Lists the programs and streams of the input, see ``InputDescription``.
    ///   - measures: Reports how much it has written.
    package static func preamble(
        _ role: Role, isTalkative: Bool = false, describesInput: Bool = false, measures: Bool = false
    ) -> [String] {
        [
            // At `info` a publisher reports that its target has accepted the connection.
            "-hide_banner", "-nostdin", "-nostats", "-loglevel",
            isTalkative ? "level+verbose" : role == .publisher || describesInput ? "level+info" : "level+warning",
            "-stats_period", role == .relay || role == .audioConverter ? "0.5" : "0.1",
        ] + (role == .encoder || measures ? ["-progress", "pipe:2"] : [])
    }
}
