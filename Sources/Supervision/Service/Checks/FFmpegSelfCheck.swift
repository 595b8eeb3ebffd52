package import FFmpeg
import MediaTypes

/// Runs a tenth of a second of each kind of command line with the installed FFmpeg. An option that it refuses is then
/// known before a process ends repeatedly because of it.
///
/// Command lines with parts that FFmpeg does not list are left out: ``FFmpegNeeds`` names those. Encoders of GPUs are
/// left out too: each has to pass a trial with the same options before a group uses it.
package struct FFmpegSelfCheck: Sendable {
    /// The result of a self-check.
    package struct Findings: Sendable, Hashable {
        /// In the order of the stream. Empty if FFmpeg accepts everything.
        package var refused: [RefusedRole]
        /// The purposes of processes without a result: they hung, crashed, were stopped or did not start.
        package var unknown: [String]

        package init(refused: [RefusedRole] = [], unknown: [String] = []) {
            self.refused = refused
            self.unknown = unknown
        }

        package var isComplete: Bool { unknown.isEmpty }

        /// A sentence about the processes without a result. `nil` if there are none.
        package func doubt(ffmpeg: String) -> String? {
            guard !isComplete else { return nil }
            return
                """
                the self-check could not find out whether FFmpeg \(ffmpeg) accepts every option that these need: \
                \(unknown.joined(separator: ", ")); check whether the box is short of memory or of room in its \
                temporary folder, and check again
                """
        }

        mutating func note(_ outcome: Outcome, of role: String) {
            switch outcome {
            case .taken: break
            case .unknown: unknown.append(role)
            case .refused(let what):
                // One refusal is one problem, however many processes it affects.
                if let index = refused.firstIndex(where: { $0.refused == what }) {
                    refused[index].role += ", \(role)"
                } else {
                    refused.append(RefusedRole(role: role, refused: what))
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
    static let silence = Duration.milliseconds(300)

    package init(ffmpeg: FFmpegBinary, environment: [String: String], limit: Duration = .seconds(10)) {
        self.limit = limit
        self.ffmpeg = ffmpeg
        self.environment = environment
    }

    package func run() async -> Findings {
        guard let relayed = MemoryFile("relayed"), let made = MemoryFile("made"),
            let frames = MemoryFile("frames", ReadyMadeMedia.frames(width: Self.size.width, height: Self.size.height)),
            let audio = MemoryFile("audio", ReadyMadeMedia.audio)
        else { return Findings(unknown: ["everything"]) }
        let files = SelfCheckFolder(environment)
        defer { files?.remove() }
        var findings = Findings()
        await check(makers(from: files, relayed: relayed, made: made), &findings)
        // Without libx264 FFmpeg generates no test picture. The ready-made media need no encoder.
        let media = relayed.isEmpty ? made : relayed
        let others: [[Role]] = [
            sources(), publishers(audio), cards(frames), slates(files), groups(media), targets(media, files),
        ]
        await check(Array(others.joined()), &findings)
        return findings
    }

    // MARK: Running them

    private func check(_ roles: [Role], _ findings: inout Findings) async {
        let listed = roles.filter { role in
            ([FFmpegPart].everything + role.needs.joined()).allSatisfy { $0.isIn(ffmpeg.capabilities) }
        }
        for (role, outcome) in zip(listed, await outcomes(of: listed)) { findings.note(outcome, of: role.name) }
    }

    private func outcomes(of roles: [Role]) async -> [Outcome] {
        await withTaskGroup(of: (Int, Outcome).self) { tasks in
            var next = 0
            func tryNext() {
                guard next < roles.count else { return }
                let (index, role) = (next, roles[next])
                next += 1
                tasks.addTask { (index, await outcome(of: role)) }
            }
            for _ in 0..<Self.atOnce { tryNext() }
            var outcomes: [Int: Outcome] = [:]
            while let (index, result) = await tasks.next() {
                outcomes[index] = result
                tryNext()
            }
            return roles.indices.map { outcomes[$0] ?? .unknown }
        }
    }

    private func outcome(of role: Role) async -> Outcome {
        guard let command = role.command else { return .unknown }
        let input = role.input?.reader
        guard role.input == nil || input != nil else { return .unknown }
        let (exit, overdue) = await BoundedChild.run(
            command, binary: ffmpeg, stdin: input, stdout: role.output?.writer, environment: environment, limit: limit,
            isDone: role.isDone)
        guard overdue == nil, !Task.isCancelled else { return .unknown }
        if exit.asked { return .taken }
        guard case .exited(let code) = exit.status else { return .unknown }
        if exit.cause == .unsupported { return .refused(Self.refusal(in: exit.log)) }
        if code == 0 { return .taken }
        if role.fails, let cause = exit.cause, Self.absence.contains(cause) { return .taken }
        return .unknown
    }

    /// The causes for which a process ends if its peer or device does not exist.
    private static let absence: Set<FailureCause> = [
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
