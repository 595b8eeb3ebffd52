package import BoxConfiguration
package import CapabilityProbe
package import EncoderSelection
package import FFmpeg

/// Every process that a configuration would start on this machine, with the reason for its encoder.
package struct ServicePlan: Sendable, Encodable {
    /// One process, or the reason why it cannot run.
    package struct Process: Sendable, Encodable {
        package var channel: String
        /// `relay`, `sound`, `encoder` or `publisher`.
        package var role: String
        /// The source's, group's or target's name.
        package var name: String
        /// The reason for this process.
        package var reason: String
        /// Program and arguments, with secrets masked. Empty if it cannot run.
        package var arguments: [String]
        /// Why it cannot run. `nil` if it can.
        package var problem: String?
    }

    /// The program's path.
    package var ffmpeg: String
    package var version: String
    package var processes: [Process]

    /// - Parameters:
    ///   - environment: Contains secrets and credentials. A missing one becomes the problem of its process.
    ///   - cards: The capture cards that are plugged in.
    ///   - encoders: The trial results for the groups of the configuration, from ``EncoderSurvey``.
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
                let card = claims.device(of: "\(channel.name)/\(source.id)")
                add(source, priority: priority, in: channel, card, ffmpeg.capabilities, environment, &encoders)
            }
            for group in channel.groups { add(group, in: channel, ffmpeg.capabilities, environment, &encoders) }
        }
    }

    private mutating func add(
        _ source: SourceConfiguration, priority: Int, in channel: ChannelConfiguration, _ card: CaptureDevice?,
        _ ffmpeg: FFmpegCapabilities, _ environment: [String: String], _ encoders: inout EncoderPool
    ) {
        add(
            .relay, source.id, in: channel,
            reason: priority == 0 ? "the source most wanted" : "priority \(priority + 1)"
        ) {
            try FFmpegCommands.relay(
                source, mezzanine: channel.mezzanine, transcoding: .init(for: channel), card: card, ffmpeg: ffmpeg,
                environment: environment, isPlan: true)
        }
        add(.relay, source.id, in: channel, reason: "reads what a caller sends") {
            try FFmpegCommands.callerRelay(
                source, mezzanine: channel.mezzanine, transcoding: .init(for: channel), ffmpeg: ffmpeg)
        }
        if case .rtmp = source.kind {
            add(.audioConverter, source.id, in: channel, reason: "while its audio is not AAC") {
                FFmpegCommands.audioConverter()
            }
        }
        let choice = ServicePlan.choice(for: source, of: channel, &encoders)
        add(.encoder, source.id, in: channel, reason: choice.reason) {
            try FFmpegCommands.frameEncoder(
                source, mezzanine: channel.mezzanine, card: card, recipe: choice.recipe, ffmpeg: ffmpeg)
        }
    }

    private mutating func add(
        _ group: GroupConfiguration, in channel: ChannelConfiguration, _ ffmpeg: FFmpegCapabilities,
        _ environment: [String: String], _ encoders: inout EncoderPool
    ) {
        if !group.passesThrough {
            let choice = ServicePlan.choice(for: group, &encoders)
            add(.encoder, group.name, in: channel, reason: choice.reason) {
                guard let recipe = choice.recipe else { throw NoEncoder(reason: choice.reason) }
                return FFmpegCommands.encoder(group, recipe: recipe, format: nil, resume: nil, ffmpeg: ffmpeg)
            }
        }
        for target in group.targets {
            add(
                .publisher, target.name, in: channel,
                reason: group.passesThrough ? "passes the channel through" : "sends group \(group.name)"
            ) {
                try FFmpegCommands.publisher(
                    target, of: group, take: 0, ffmpeg: ffmpeg, environment: environment, isPlan: true)
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

    /// Chooses the encoder of a group. The choice adds to the load that later groups find.
    private static func choice(for group: GroupConfiguration, _ encoders: inout EncoderPool) -> (
        reason: String, recipe: (any EncoderRecipe)?
    ) {
        guard case .encode = group.video else { return ("video as it arrives, audio encoded", Libx264Recipe()) }
        let choice = encoders.assignEncoder(to: group.name)
        return (choice.reason, choice.candidate.flatMap { encoders.recipe(for: $0, in: group.name) })
    }

    /// Chooses the encoder for a source's frames.
    private static func choice(
        for source: SourceConfiguration, of channel: ChannelConfiguration, _ encoders: inout EncoderPool
    ) -> (reason: String, recipe: any EncoderRecipe) {
        let name = "\(channel.name)/\(source.id)"
        guard source.hasFrames else { return ("", Libx264Recipe()) }
        let choice = encoders.assignEncoder(to: name)
        return (
            choice.reason,
            choice.candidate.flatMap { encoders.recipe(for: $0, in: name, effort: .least) }
                ?? Libx264Recipe(effort: .least)
        )
    }

    /// The plan for a terminal: for each process a heading, and below it the command line for a shell.
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
