import CLinux
import EncoderSelection
package import FFmpeg
import Glibc
import MediaTypes
import SystemPackage

/// Runs a tenth of a second of each kind of command line with the real FFmpeg, so that an option that it refuses is
/// known before a process ends by it again and again.
///
/// What FFmpeg does not list is not tried: ``FFmpegNeeds`` names it. Neither are encoders of GPUs: each is proven by a
/// trial of its own, with the same options, before a group is given to it.
package struct FFmpegSelfCheck: Sendable {
    /// What it found out.
    package struct Findings: Sendable, Hashable {
        /// In the order of the stream; empty for an FFmpeg that takes everything.
        package var refused: [RefusedRole]
        /// What is made by processes of which it could not be found out: they hung, crashed, were stopped or did not
        /// start.
        package var unknown: [String]

        package init(refused: [RefusedRole] = [], unknown: [String] = []) {
            self.refused = refused
            self.unknown = unknown
        }

        package var isComplete: Bool { unknown.isEmpty }

        /// What could not be found out, for people; `nil` where everything was.
        package func doubt(ffmpeg: String) -> String? {
            guard !isComplete else { return nil }
            return
                """
                it could not be found out whether FFmpeg \(ffmpeg) takes every option that these need: \
                \(unknown.joined(separator: ", "));
                """
                    + " see whether the box is short of memory or of room in its temporary folder, and check again"
        }

        fileprivate mutating func note(_ outcome: Outcome, of role: String) {
            switch outcome {
            case .taken: break
            case .unknown: unknown.append(role)
            case .refused(let what):
                // One refusal is one problem, whatever it hits.
                if let index = refused.firstIndex(where: { $0.refused == what }) {
                    refused[index].role += ", \(role)"
                } else {
                    refused.append(RefusedRole(role: role, refused: what))
                }
            }
        }
    }

    fileprivate enum Outcome: Sendable {
        case taken
        case refused(String)
        case unknown
    }

    private let ffmpeg: FFmpegBinary
    private let environment: [String: String]

    /// How long one command line may take. None needs more than a second, but a box that has just started is slow.
    private let limit: Duration
    /// How many run at a time.
    private static let atOnce = 2
    private static let size = FrameSize(width: 64, height: 48)
    private static let rate = FrameRate(30)
    /// How long a source that is not there is waited for.
    private static let silence = Duration.milliseconds(300)

    package init(ffmpeg: FFmpegBinary, environment: [String: String], limit: Duration = .seconds(10)) {
        self.limit = limit
        self.ffmpeg = ffmpeg
        self.environment = environment
    }

    package func run() async -> Findings {
        guard let relayed = MemoryFile("relayed"), let made = MemoryFile("made"),
            let frames = MemoryFile("frames", ReadyMadeMedia.frames(width: Self.size.width, height: Self.size.height)),
            let sound = MemoryFile("sound", ReadyMadeMedia.sound)
        else { return Findings(unknown: ["everything"]) }
        let files = Files(environment)
        defer { files?.remove() }
        var findings = Findings()
        await look(at: makers(from: files, relayed: relayed, made: made), &findings)
        // Where FFmpeg has no libx264, there is no test picture; the ready-made media need no encoder.
        let media = relayed.isEmpty ? made : relayed
        let others: [[Role]] = [
            sources(), publishers(sound), cards(frames), slates(files), groups(media), targets(media, files),
        ]
        await look(at: Array(others.joined()), &findings)
        return findings
    }

    // MARK: What is tried

    /// One kind of command line.
    private struct Role: Sendable {
        /// What is made by such processes.
        var name: String
        /// What FFmpeg has to list.
        var needs: [[FFmpegPart]]
        /// `nil` where it cannot be made here.
        var command: FFmpegCommand?
        var input: MemoryFile?
        var output: MemoryFile?
        /// It ends with an error, for what it reads or sends to is not there. FFmpeg reads its options before it finds
        /// that out.
        var fails = false
        /// It would go on for ever: whether it has done what shows that its options are taken.
        var isDone: (@Sendable () -> Bool)?
    }

    private static let x264: [FFmpegPart] = [.encoder("libx264")]
    private static let x265: [FFmpegPart] = [.encoder("libx265")]

    /// Those whose media the others are given.
    private func makers(from files: Files?, relayed: MemoryFile, made: MemoryFile) -> [Role] {
        [
            Role(
                name: "file sources", needs: [.flvInput, [.input("file")]],
                command: files.flatMap { relay(.file(path: $0.media, loop: true)) }?.limited(toSeconds: "0.2"),
                output: relayed),
            Role(
                name: "test sources and sources in other codecs", needs: [.testPicture, Self.x264, .encodedSound],
                command: relay(.test(size: Self.size, rate: Self.rate))?.limited(toSeconds: "0.2"), output: made),
        ]
    }

    private func sources() -> [Role] {
        let udp = UDPPort.free()
        return [
            listener("SRT sources", passphrase: nil, needs: [[.input("srt")], .rawCopy]),
            listener(
                "SRT sources with a passphrase", passphrase: "check-check", needs: [[.input("srt")], .secretInput]),
            // Nobody listens on that port.
            pull(
                "RTSP pulls", relay(.pull(url: "rtsp://127.0.0.1:1/check")),
                needs: [[.demuxer("rtsp"), .input("tcp")]]),
            pull("HTTP pulls", relay(.pull(url: "http://127.0.0.1:1/check")), needs: [[.input("http")]]),
            pull("RTMP pulls", relay(.pull(url: "rtmp://127.0.0.1:1/check")), needs: [[.input("rtmp")], .flvInput]),
            pull("SRT pulls", relay(.pull(url: "srt://127.0.0.1:1")), needs: [[.input("srt")]]),
            pull("UDP pulls", udp.flatMap { relay(.pull(url: "udp://127.0.0.1:\($0)")) }, needs: [[.input("udp")]]),
            pull(
                "pulls with a password", relay(.pull(url: "rtsp://check@127.0.0.1:1/check", password: "check")),
                needs: [[.demuxer("rtsp"), .input("tcp")], .secretInput]),
        ]
    }

    private func relay(_ source: RelaySource) -> FFmpegCommand? {
        try? RelayCommand(source: source, silence: Self.silence).command(for: ffmpeg.capabilities)
    }

    private func pull(_ name: String, _ command: FFmpegCommand?, needs: [[FFmpegPart]]) -> Role {
        Role(name: name, needs: needs, command: command, fails: true)
    }

    /// FFmpeg opens its port once it has read all options of its SRT.
    private func listener(_ name: String, passphrase: String?, needs: [[FFmpegPart]]) -> Role {
        guard let port = UDPPort.free() else { return Role(name: name, needs: needs, command: nil) }
        let source = RelaySource.srtListen(
            address: "127.0.0.1:\(port)", passphrase: passphrase, latency: nil, tellsCaller: true)
        return Role(name: name, needs: needs, command: relay(source), isDone: { UDPPort.isBound(port) })
    }

    private func publishers(_ sound: MemoryFile) -> [Role] {
        [
            Role(
                name: "audio of RTMP sources that is not AAC", needs: [.convertedSound, [.decoder("pcm_mulaw")]],
                command: Commands.sound(), input: sound)
        ]
    }

    private func cards(_ frames: MemoryFile) -> [Role] {
        let hasSound = FFmpegPart.demuxer("alsa").isIn(ffmpeg.capabilities)
        let card = CaptureInput(
            node: "/dev/streambox-check", format: "yuyv422", size: Self.size, rate: Self.rate,
            audio: hasSound ? "null" : nil)
        let reader = CardReaderCommand(card: card, size: Self.size)
        let settings = VideoSettings(bitrate: 200_000, keyframe: .milliseconds(500))
        let encoder = FrameEncoderCommand(settings: settings, recipe: Libx264Recipe(effort: .least), rate: Self.rate)
        return [
            Role(name: "capture cards", needs: [.card], command: reader.command(for: ffmpeg.capabilities), fails: true),
            // Where ALSA itself has no files, the sound's device is not there either.
            Role(
                name: "pictures and sound of capture cards", needs: [.card, .testPicture, .encodedSound],
                command: reader.commandWithoutCard(for: ffmpeg.capabilities), fails: true),
            Role(
                name: "encoders of capture cards and raw frames", needs: [.frames, Self.x264],
                command: encoder.command(for: ffmpeg.capabilities), input: frames),
        ]
    }

    private func slates(_ files: Files?) -> [Role] {
        var picture = SlateCommand.Picture(image: files?.image)
        if FFmpegPart.filter("drawtext").isIn(ffmpeg.capabilities), let font = Fonts.any {
            picture.textFile = files?.text
            picture.font = font
        }
        return [
            Role(name: "the slate", needs: [.slate, .plainSlate, Self.x264], command: slate(.plain, .h264)),
            Role(name: "slates in HEVC", needs: [.slate, .plainSlate, Self.x265], command: slate(.plain, .hevc)),
            Role(
                name: "slates with an image or a text", needs: [.slate, .slateImage, Self.x264],
                command: files == nil ? nil : slate(picture, .h264)),
        ]
    }

    private func slate(_ picture: SlateCommand.Picture, _ codec: VideoCodec) -> FFmpegCommand {
        SlateCommand(
            picture: picture, codec: codec, size: Self.size, rate: Self.rate, profile: codec == .h264 ? "high" : nil,
            frames: 2, output: "/dev/null"
        ).command()
    }

    /// With another shape and rate than what arrives, deinterlaced, and where one ended.
    private func groups(_ media: MemoryFile) -> [Role] {
        let recipes: [(name: String, recipe: any EncoderRecipe)] = [
            ("groups in H.264", Libx264Recipe()), ("groups in HEVC", Libx265Recipe()),
        ]
        let settings = VideoSettings(
            size: FrameSize(width: 96, height: 64), rate: FrameRate(25), bitrate: 200_000, keyframe: .milliseconds(500),
            fit: .pad, deinterlacing: .frames)
        return recipes.map { group in
            let command = EncoderCommand(
                video: .encode(settings, with: group.recipe), audio: .aac(bitrate: 96_000, rate: 48_000, channels: 2),
                inputRate: Self.rate,
                inputSize: Self.size, resume: ResumePoint(videoStart: 0, audioStart: 0))
            return Role(
                name: group.name,
                needs: [
                    [.encoder(group.recipe.encoder), .decoder("h264"), .decoder("aac")], .encodedPicture,
                    .convertedRate, .resumedPicture, .encodedSound, .resumedSound,
                ],
                command: command.command(for: ffmpeg.capabilities), input: media)
        }
    }

    private func targets(_ media: MemoryFile, _ files: Files?) -> [Role] {
        [
            Role(
                name: "callers of SRT sources", needs: [[.input("srt")]], command: relay(.transportStream), input: media
            ),
            Role(
                name: "recordings", needs: [.recording],
                command: files.flatMap {
                    publisher(.record(folder: $0.folder, name: "check", segment: .seconds(60), take: 0))
                }, input: media),
            // No server listens on that port.
            Role(
                name: "RTMP targets", needs: [.rtmpTarget, [.output("rtmp")]],
                command: publisher(.rtmp(url: "rtmp://127.0.0.1:1/check", key: "check")), input: media, fails: true),
            Role(
                name: "RTMPS targets", needs: [.rtmpTarget, [.output("rtmps")]],
                command: publisher(.rtmp(url: "rtmps://127.0.0.1:1/check", key: "check")), input: media, fails: true),
            Role(
                name: "SRT targets", needs: [[.output("srt")], .rawCopy],
                command: publisher(
                    .srt(
                        url: "srt://127.0.0.1:1?connect_timeout=100", passphrase: "check-check", streamID: "check",
                        latency: nil)),
                input: media, fails: true),
        ]
    }

    private func publisher(_ target: PublisherTarget) -> FFmpegCommand? {
        try? PublisherCommand(target: target).command(for: ffmpeg.capabilities)
    }

    // MARK: Trying

    private func look(at roles: [Role], _ findings: inout Findings) async {
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

    /// How a process ends whose peer or device is not there.
    private static let absence: Set<FailureCause> = [
        .refused, .unreachable, .timeout, .reset, .rejected, .notFound, .deviceGone, .permission, .busy,
    ]

    private static func refusal(in log: LogExcerpt) -> String {
        if let option = RefusedOption(log) { return option.description }
        return
            """
            something that it tells by these words: \
            “\(LogLine.withoutPrefixes(log.firstError ?? log.last(1).first ?? ""))”
            """
    }

    // MARK: Files

    /// A folder of its own, with what cannot be had without one.
    private struct Files: Sendable {
        let folder: String
        var media: String { folder + "/check.flv" }
        var image: String { folder + "/check.png" }
        var text: String { folder + "/check.txt" }

        /// - Returns: `nil` where it cannot be made, or has no room.
        init?(_ environment: [String: String]) {
            var path = Array("\(environment["TMPDIR"] ?? "/tmp")/streambox-check-XXXXXX".utf8CString)
            guard let made = mkdtemp(&path).map({ String(cString: $0) }) else { return nil }
            folder = made
            let contents = [(media, ReadyMadeMedia.flv), (image, ReadyMadeMedia.image), (text, Array("check".utf8))]
            guard contents.allSatisfy({ Self.write($0.1, to: $0.0) }) else {
                remove()
                return nil
            }
        }

        private static func write(_ bytes: [UInt8], to path: String) -> Bool {
            guard
                let file = try? FileDescriptor.open(
                    path, .writeOnly, options: [.create, .truncate, .closeOnExec], permissions: [.ownerReadWrite])
            else { return false }
            defer { try? file.close() }
            return (try? file.writeAll(bytes)) != nil
        }

        func remove() {
            guard let directory = opendir(folder) else { return }
            defer { closedir(directory) }
            while let entry = readdir(directory) {
                let name = withUnsafeBytes(of: entry.pointee.d_name) {
                    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                }
                if name != ".", name != ".." { unlink("\(folder)/\(name)") }
            }
            rmdir(folder)
        }
    }
}

/// A file without a name, which one child writes and others read from its beginning.
private final class MemoryFile: Sendable {
    private let descriptor: FileDescriptor

    init?(_ name: String, _ bytes: [UInt8] = []) {
        descriptor = FileDescriptor(rawValue: memfd_create(name, UInt32(MFD_CLOEXEC)))
        guard descriptor.rawValue >= 0, (try? descriptor.writeAll(bytes)) != nil else { return nil }
    }

    deinit { try? descriptor.close() }

    /// A descriptor of its own for a child that reads from the beginning.
    var reader: FileDescriptor? {
        try? FileDescriptor.open("/proc/self/fd/\(descriptor.rawValue)", .readOnly, options: .closeOnExec)
    }

    /// Likewise, for one that writes.
    var writer: FileDescriptor? { try? descriptor.duplicate() }

    var isEmpty: Bool { (try? descriptor.seek(offset: 0, from: .end)) ?? 0 == 0 }
}
