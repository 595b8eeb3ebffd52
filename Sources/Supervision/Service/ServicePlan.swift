package import BoxConfiguration
package import CapabilityProbe
package import EncoderSelection
package import FFmpeg

/// Every process that a configuration would start on this machine, with the reason for its encoder.
package struct ServicePlan: Sendable, Encodable {
    /// One process, or why there would be none.
    package struct Process: Sendable, Encodable {
        package var channel: String
        /// `relay`, `sound`, `encoder` or `publisher`.
        package var role: String
        /// The source's, group's or target's name.
        package var name: String
        /// Why it would be this process.
        package var reason: String
        /// Program and arguments, secrets masked; empty when it cannot run.
        package var arguments: [String]
        /// Why it cannot run; `nil` when it can.
        package var problem: String?
    }

    /// The program's path.
    package var ffmpeg: String
    package var version: String
    package var processes: [Process]

    /// - Parameters:
    ///   - environment: Where secrets and credentials come from; one that is missing is told as the process's problem.
    ///   - cards: The capture cards that are plugged in.
    ///   - encoders: What trials have shown for the groups of the configuration, as ``EncoderSurvey`` runs them.
    package init(
        _ configuration: BoxConfiguration, ffmpeg: FFmpegBinary, encoders: EncoderPool, cards: [CaptureDevice] = [],
        environment: [String: String]
    ) {
        var encoders = encoders
        var claims = CaptureClaims()
        claims.set(cards)
        for channel in configuration.channels {
            for source in channel.sources {
                if case .capture(let capture) = source.kind {
                    claims.add("\(channel.name)/\(source.id)", capture.binding)
                }
            }
        }
        self.ffmpeg = ffmpeg.path
        version = "\(ffmpeg.version)"
        processes = []
        for channel in configuration.channels {
            for (priority, source) in channel.sources.enumerated() {
                add(
                    .relay, source.id, in: channel,
                    reason: priority == 0 ? "the source most wanted" : "priority \(priority + 1)"
                ) {
                    try Commands.relay(
                        source, mezzanine: channel.mezzanine, transcoding: .init(for: channel),
                        card: claims.device(of: "\(channel.name)/\(source.id)"), ffmpeg: ffmpeg.capabilities,
                        environment: environment, isPlan: true)
                }
                add(.relay, source.id, in: channel, reason: "reads what a caller sends") {
                    try Commands.callRelay(
                        source, mezzanine: channel.mezzanine, transcoding: .init(for: channel),
                        ffmpeg: ffmpeg.capabilities)
                }
                if case .rtmp = source.kind {
                    add(.audioConverter, source.id, in: channel, reason: "while its audio is not AAC") { Commands.sound() }
                }
                let choice = ServicePlan.choice(for: source, of: channel, &encoders)
                add(.encoder, source.id, in: channel, reason: choice.reason) {
                    try Commands.frameEncoder(
                        source, mezzanine: channel.mezzanine, card: claims.device(of: "\(channel.name)/\(source.id)"),
                        recipe: choice.recipe,
                        ffmpeg: ffmpeg.capabilities)
                }
            }
            for group in channel.groups {
                if !group.passesThrough {
                    let choice = ServicePlan.choice(for: group, &encoders)
                    add(.encoder, group.name, in: channel, reason: choice.reason) {
                        guard let recipe = choice.recipe else { throw NoEncoder(reason: choice.reason) }
                        return Commands.encoder(
                            group, recipe: recipe, format: nil, resume: nil, ffmpeg: ffmpeg.capabilities)
                    }
                }
                for target in group.targets {
                    add(
                        .publisher, target.name, in: channel,
                        reason: group.passesThrough ? "passes the channel through" : "sends group \(group.name)"
                    ) {
                        try Commands.publisher(
                            target, of: group, take: 0, ffmpeg: ffmpeg.capabilities, environment: environment,
                            isPlan: true)
                    }
                }
            }
        }
    }

    private mutating func add(
        _ role: FFmpegCommand.Role, _ name: String, in channel: ChannelConfiguration, reason: String,
        command: () throws -> FFmpegCommand?
    ) {
        var process = Process(channel: channel.name, role: role.rawValue, name: name, reason: reason, arguments: [])
        do {
            guard let command = try command() else { return }
            process.arguments = command.maskedArguments(program: ffmpeg)
        } catch {
            process.problem = "\(error)"
        }
        processes.append(process)
    }

    private struct NoEncoder: Error, CustomStringConvertible {
        var reason: String
        var description: String { reason }
    }

    /// Each group's choice is the load of those behind it.
    private static func choice(for group: GroupConfiguration, _ encoders: inout EncoderPool) -> (
        reason: String, recipe: (any EncoderRecipe)?
    ) {
        guard case .encode = group.video else { return ("video as it comes, audio encoded", Libx264Recipe()) }
        let choice = encoders.assign(to: group.name)
        return (choice.reason, choice.candidate.flatMap { encoders.recipe(for: $0, in: group.name) })
    }

    /// What a source's frames are encoded with.
    private static func choice(
        for source: SourceConfiguration, of channel: ChannelConfiguration, _ encoders: inout EncoderPool
    ) -> (reason: String, recipe: any EncoderRecipe) {
        let name = "\(channel.name)/\(source.id)"
        guard source.hasFrames else { return ("", Libx264Recipe()) }
        let choice = encoders.assign(to: name)
        return (
            choice.reason,
            choice.candidate.flatMap { encoders.recipe(for: $0, in: name, effort: .least) }
                ?? Libx264Recipe(effort: .least)
        )
    }

    /// For a terminal: a heading a process, the command line below it, ready for a shell.
    package var text: String {
        var lines = ["FFmpeg \(version) at \(ffmpeg)"]
        for process in processes {
            lines.append("")
            lines.append("\(process.channel): \(process.role) \(process.name) (\(process.reason))")
            lines.append(
                process.problem.map { "  cannot run: \($0)" } ?? "  " + FFmpegCommand.shellLine(process.arguments))
        }
        return lines.joined(separator: "\n")
    }
}
