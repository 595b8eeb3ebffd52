import Redaction

/// One FFmpeg command line as a value. No argument holds a secret: secrets travel in a ``SecretFile``.
package struct FFmpegCommand: Sendable, Hashable {
    /// What the process is for.
    package enum Role: String, Sendable, Hashable, CaseIterable {
        case relay
        case encoder
        case publisher
        /// A few pictures, to see whether an encoder works.
        case trial
        /// Renders what is shown when no source delivers.
        case slate
        /// Converts the audio of a publisher whose video needs no process.
        case sound
    }

    package let role: Role
    /// Without the program's name. A ``SecretFile/token`` stands where the file's path belongs.
    package let arguments: [String]
    package let secretFile: SecretFile?
    /// Variables set over the reduced environment of the service.
    package let environment: [String: String]

    package init(
        role: Role, arguments: [String], secretFile: SecretFile? = nil, environment: [String: String] = [:]
    ) {
        self.role = role
        self.arguments = arguments
        self.secretFile = secretFile
        self.environment = environment
    }

    /// The values that its secret files carry.
    package var secrets: [String] { secretFile?.secrets ?? [] }

    /// What it reads or writes of its own is a file: a recording, or a source that is one.
    var usesDisk: Bool {
        switch role {
        case .publisher: arguments.last?.contains("://") == false
        case .relay: arguments.contains { $0.hasPrefix("file:") }
        case .encoder, .trial, .slate, .sound: false
        }
    }

    /// The same, with so much media written at the most.
    package func limited(toSeconds seconds: String) -> FFmpegCommand {
        FFmpegCommand(
            role: role, arguments: arguments.dropLast() + ["-t", seconds] + arguments.suffix(1), secretFile: secretFile,
            environment: environment)
    }

    /// Program and arguments for a person or for JSON, secrets masked.
    package func maskedArguments(program: String = "ffmpeg") -> [String] {
        // Last line of defence for an address with a secret in it; builders put none there.
        [program] + arguments.map(URLMask.maskAll(in:))
    }

    /// Words as a shell takes them, quoted where they need it.
    package static func shellLine(_ words: [String]) -> String {
        words.map(ShellQuoting.quoted).joined(separator: " ")
    }

    /// The arguments with the secret file's token replaced by where the file is to be had.
    func arguments(withSecretAt path: String) -> [String] {
        guard let secretFile else { return arguments }
        return arguments.map { $0 == secretFile.token ? path : $0 }
    }

    /// What every process of ours begins with: messages carry their level, and an encoder's figures come on stderr.
    ///
    /// The figures of the others are measured in the data path. The period counts for all: since FFmpeg 7 it is also
    /// how long a process may take to notice a signal or that one of its threads failed (`sch_wait` in
    /// fftools/ffmpeg_sched.c): 52 s seen with a period of a minute, and a quarter of a second at each error of a GPU
    /// with half a second.
    ///
    /// - Parameters:
    ///   - isTalkative: Everything at level `verbose` too.
    ///   - describesInput: It lists the programs and streams of its input, see ``InputDescription``.
    ///   - measures: It says how much it has written.
    package static func preamble(
        _ role: Role, isTalkative: Bool = false, describesInput: Bool = false, measures: Bool = false
    ) -> [String] {
        [
            // At `info` a publisher says when its target has accepted the connection.
            "-hide_banner", "-nostdin", "-nostats", "-loglevel",
            isTalkative ? "level+verbose" : role == .publisher || describesInput ? "level+info" : "level+warning",
            "-stats_period", role == .relay || role == .sound ? "0.5" : "0.1",
        ] + (role == .encoder || measures ? ["-progress", "pipe:2"] : [])
    }
}
