package import FFmpeg
import MediaTypes

/// Runs each kind of command line with the installed FFmpeg, on a tenth of a second of media. This finds the options
/// that FFmpeg refuses before they make a process of the service fail again and again.
///
/// A command line is left out if it needs a part that this FFmpeg does not list. ``FFmpegNeeds`` reports such missing
/// parts. Encoders of GPUs are left out too: each has to pass a trial with the same options before a group uses it.
package struct FFmpegSelfCheck: Sendable {
    /// The result of a self-check.
    package struct Findings: Sendable, Hashable {
        /// In the order in which the stream passes the processes, from source to target. Empty if FFmpeg accepts
        /// everything.
        package var refused: [RefusedRole]
        /// The purposes of processes without a result: they hung, crashed, were stopped or did not start.
        package var unknown: [String]

        package init(refused: [RefusedRole] = [], unknown: [String] = []) {
            self.refused = refused
            self.unknown = unknown
        }

        package var isComplete: Bool { unknown.isEmpty }

        /// A sentence about the processes without a result. `nil` if there are none.
        package func incompleteMessage(version: String) -> String? {
            guard !isComplete else { return nil }
            return
                """
                the self-check could not find out whether FFmpeg \(version) accepts every option that these need: \
                \(unknown.joined(separator: ", ")); check whether the box is short of memory or of room in its \
                temporary folder, and check again
                """
        }

        mutating func record(_ outcome: Outcome, of purpose: String) {
            switch outcome {
            case .taken: break
            case .unknown: unknown.append(purpose)
            case .refused(let what):
                // One refusal is one problem, however many processes it affects.
                if let index = refused.firstIndex(where: { $0.refused == what }) {
                    refused[index].purposes += ", \(purpose)"
                } else {
                    refused.append(RefusedRole(purposes: purpose, refused: what))
                }
            }
        }
    }

    enum Outcome: Sendable {
        case taken
        case refused(String)
        case unknown
    }

    let ffmpeg: FFmpegBinary
    private let environment: [String: String]

    /// How long one command line may take. None needs more than a second, but a box that has just booted is slow.
    private let limit: Duration
    /// How many run at the same time.
    private static let atOnce = 2
    static let size = FrameSize(width: 64, height: 48)
    static let rate = FrameRate(30)
    /// How long to wait for a source that does not exist.
    static let absentSourceTimeout = Duration.milliseconds(300)

    package init(ffmpeg: FFmpegBinary, environment: [String: String], limit: Duration = .seconds(10)) {
        self.limit = limit
        self.ffmpeg = ffmpeg
        self.environment = environment
    }

    package func run() async -> Findings {
        guard let relayedMedia = MemoryFile("relayed"), let encodedMedia = MemoryFile("encoded"),
            let frames = MemoryFile("frames", ReadyMadeMedia.frames(width: Self.size.width, height: Self.size.height)),
            let audio = MemoryFile("audio", ReadyMadeMedia.audio)
        else { return Findings(unknown: ["everything"]) }
        let files = SelfCheckFolder(environment)
        defer { files?.remove() }
        var findings = Findings()
        await check(mediaCommands(files, relayed: relayedMedia, encoded: encodedMedia), &findings)
        // The relayed media are ready-made and need no encoder. If the relay delivered nothing, the encoded media take
        // their place. Without libx264 there are none.
        let media = relayedMedia.isEmpty ? encodedMedia : relayedMedia
        let others: [[CheckedCommand]] = [
            sources(), audioConverters(audio), cards(frames), slates(files), groups(media), targets(media, files),
        ]
        await check(Array(others.joined()), &findings)
        return findings
    }

    // MARK: Running them

    private func check(_ commands: [CheckedCommand], _ findings: inout Findings) async {
        let listed = commands.filter { command in
            ([FFmpegPart].neededByAll + command.needs.joined()).allSatisfy { $0.isIn(ffmpeg.capabilities) }
        }
        for (command, outcome) in zip(listed, await outcomes(of: listed)) {
            findings.record(outcome, of: command.purpose)
        }
    }

    private func outcomes(of commands: [CheckedCommand]) async -> [Outcome] {
        await withTaskGroup(of: (Int, Outcome).self) { tasks in
            var next = 0
            func tryNext() {
                guard next < commands.count else { return }
                let (index, command) = (next, commands[next])
                next += 1
                tasks.addTask { (index, await outcome(of: command)) }
            }
            for _ in 0..<Self.atOnce { tryNext() }
            var outcomes: [Int: Outcome] = [:]
            while let (index, result) = await tasks.next() {
                outcomes[index] = result
                tryNext()
            }
            return commands.indices.map { outcomes[$0] ?? .unknown }
        }
    }

    private func outcome(of checked: CheckedCommand) async -> Outcome {
        guard let command = checked.command else { return .unknown }
        let input = checked.input?.reader
        guard checked.input == nil || input != nil else { return .unknown }
        let (exit, overdue) = await BoundedChild.run(
            command, binary: ffmpeg, stdin: input, stdout: checked.output?.writer, environment: environment,
            limit: limit,
            isDone: checked.isDone)
        guard overdue == nil, !Task.isCancelled else { return .unknown }
        // `isDone` has requested the end: FFmpeg has accepted the options.
        if exit.asked { return .taken }
        guard case .exited(let code) = exit.status else { return .unknown }
        if exit.cause == .unsupported { return .refused(Self.refusal(in: exit.log)) }
        if code == 0 { return .taken }
        if checked.isExpectedToFail, let cause = exit.cause, Self.expectedCauses.contains(cause) { return .taken }
        return .unknown
    }

    /// The causes of an expected failure: the self-check gives the process a peer or a device that does not exist or
    /// cannot be used.
    private static let expectedCauses: Set<FailureCause> = [
        .connectionRefused, .unreachable, .timeout, .reset, .rejected, .notFound, .deviceGone, .permission, .busy,
    ]

    private static func refusal(in log: LogExcerpt) -> String {
        if let option = RefusedOption(log) { return option.description }
        return
            """
            an option with the message \
            “\(LogLine.withoutPrefixes(log.firstError ?? log.last(1).first ?? ""))”
            """
    }
}
