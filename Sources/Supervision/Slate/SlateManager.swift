import BoxConfiguration
import DataPath
import FFmpeg
import Glibc
import Logging
import MPEGTS
import MediaTypes
import SystemPackage

/// Keeps a channel's slate ready in the format of what was last on air.
///
/// It is rendered once for each format, by FFmpeg, while something else is on air; showing it costs next to nothing.
/// The first is kept for the next start.
actor SlateManager {
    private let channel: ChannelConfiguration
    private let context: ServiceContext
    private let dataPath: DataPath
    private let logger: Logger
    private let report: @Sendable (SlateEvent) -> Void
    private let tell: @Sendable (String?) -> Void
    private var format: SlateFormat
    /// The newest is the last.
    private var rendered: [(format: SlateFormat, slate: Rendered)] = []
    private var isRendering = false
    private var hasToldOfMixture = false

    /// How long a rendering may take.
    private static let limit = Duration.seconds(60)
    /// How many formats are kept.
    private static let kept = 2

    private struct Rendered {
        var clip: SlateClip
        /// What FFmpeg refused of the slate as it is configured, so that this is a plain card; `nil` for nothing.
        var refused: String?
    }

    /// - Parameters:
    ///   - tell: Called with what FFmpeg refuses of the slate that is wanted; `nil` for nothing.
    ///   - report: Called when the slate goes on or off air.
    init(
        _ channel: ChannelConfiguration, context: ServiceContext, dataPath: DataPath,
        tell: @escaping @Sendable (String?) -> Void,
        report: @escaping @Sendable (SlateEvent) -> Void
    ) {
        self.channel = channel
        self.context = context
        self.dataPath = dataPath
        self.tell = tell
        self.report = report
        format = SlateFormat(expecting: channel)
        logger = context.logger(["channel": "\(channel.name)"])
    }

    /// Makes the first slate, for what is expected; tried again until there is one or the task is cancelled.
    func run() async {
        var pause = Duration.seconds(1)
        while !Task.isCancelled {
            await prepare()
            if !rendered.isEmpty { return }
            guard await (try? context.clock.sleep(for: pause)) != nil else { return }
            pause = min(pause * 2, .seconds(60))
        }
    }

    /// A source with this picture went on air.
    func follow(_ source: VideoFormat?) async {
        guard let source else { return }
        format = SlateFormat(source, fallback: format)
        await prepare()
    }

    /// Renders what is missing; who comes meanwhile is served behind it.
    private func prepare() async {
        guard !isRendering else { return }
        isRendering = true
        defer { isRendering = false }
        while true {
            let wanted = format
            if let index = rendered.firstIndex(where: { $0.format == wanted }) {
                rendered.append(rendered.remove(at: index))
            } else if let slate = await render(wanted) {
                rendered.append((wanted, slate))
                if rendered.count > Self.kept { rendered.removeFirst() }
            } else {
                return
            }
            guard format == wanted else { continue }
            let slate = rendered.last!.slate
            tell(slate.refused)
            await dataPath.setSlate(slate.clip, of: channel.name, report: report)
            return
        }
    }

    private func render(_ format: SlateFormat) async -> Rendered? {
        let slate = channel.slate
        var refused: String?
        if slate.image != nil || slate.text != nil {
            do {
                return Rendered(clip: try await render(format, asConfigured: true))
            } catch {
                // A stop cancels the drawing: no slate is needed then.
                guard !Task.isCancelled else { return nil }
                refused = (error as? NotRendered)?.refused
                logger.error("the slate cannot be made as configured, so it is a plain card: \(error)")
            }
        }
        do {
            return Rendered(clip: try await render(format, asConfigured: false), refused: refused)
        } catch {
            guard !Task.isCancelled else { return nil }
            tell((error as? NotRendered)?.refused ?? refused)
            logger.error("there is no slate: \(error)")
            return nil
        }
    }

    private struct NotRendered: Error, CustomStringConvertible {
        var description: String
        /// What FFmpeg refused of the command line; `nil` where that is not why.
        var refused: String?
    }

    /// The first slate as it was made for an earlier start, or a new one.
    private func render(_ format: SlateFormat, asConfigured: Bool) async throws -> SlateClip {
        guard rendered.isEmpty, let store = context.slates else {
            return try await draw(format, asConfigured: asConfigured).clip
        }
        let picture =
            asConfigured
            ? SlateCommand.Picture(
                image: channel.slate.image, textFile: channel.slate.text.map { _ in "" },
                font: channel.slate.text.flatMap { Self.font(for: $0) })
            : .plain
        guard let image = try await identity(of: picture.image, "its image"),
            let font = try await identity(of: picture.font, "its font")
        else {
            return try await draw(format, asConfigured: asConfigured).clip
        }
        let recipe = SlateStore.Recipe(
            command(picture, format, output: ""), by: context.ffmpeg, words: asConfigured ? channel.slate.text : nil,
            identities: [image, font])
        let kept = await store.read(recipe, of: channel.name, by: context.disk)
        if let kept, let clip = try? clip(kept, format) { return clip }
        let (clip, bytes) = try await draw(format, asConfigured: asConfigured)
        // Nobody waits for the disk.
        Task { [name = channel.name, disk = context.disk] in await store.write(bytes, recipe, of: name, by: disk) }
        return clip
    }

    /// An image may lie on a disk of the network.
    ///
    /// - Returns: `nil` where it could not be found out.
    private func identity(of path: String?, _ what: String) async throws -> String? {
        guard let path else { return FileLook.none }
        switch await context.disk.look(at: path) {
        case .found(let identity): return identity
        case .unknown: return nil
        case .silent: throw NotRendered(description: "the disk with \(what) \(path) does not answer")
        }
    }

    /// Says once that a text cannot be drawn whole.
    private func tellOfMixture(in text: String) {
        guard !hasToldOfMixture, Fonts.lacksPart(of: text) else { return }
        hasToldOfMixture = true
        logger.warning(
            """
            the slate's text mixes scripts that no font has together: part of it is empty boxes; write it in one, or \
            draw it into an image
            """)
    }

    private static func font(for text: String) -> String? {
        if case .font(let font) = Fonts.choose(for: text) { font } else { nil }
    }

    private func command(_ picture: SlateCommand.Picture, _ format: SlateFormat, output: String) -> FFmpegCommand {
        SlateCommand(
            picture: picture, codec: format.codec, size: format.size, rate: format.rate, profile: format.profile,
            pixel: format.pixel, frames: format.frames, output: output
        ).command()
    }

    private func clip(_ bytes: [UInt8], _ format: SlateFormat) throws -> SlateClip {
        try SlateClip(bytes, rate: FrameRate(format.rate.numerator, format.rate.denominator))
    }

    private func draw(_ format: SlateFormat, asConfigured: Bool) async throws -> (clip: SlateClip, bytes: [UInt8]) {
        // A keeper that a reload replaced may still be at work.
        let base =
            "\(context.runtime.string)/slate-\(channel.name)-\(String(UInt32.random(in: .min ... .max), radix: 16))"
        let (output, textFile) = (base + ".ts", base + ".txt")
        defer {
            unlink(output)
            unlink(textFile)
        }
        var picture = SlateCommand.Picture.plain
        if asConfigured {
            picture.image = channel.slate.image
            if let text = channel.slate.text {
                try Self.write(text, to: textFile)
                picture.textFile = textFile
                switch Fonts.choose(for: text) {
                case .font(let font):
                    picture.font = font
                    tellOfMixture(in: text)
                case .missing(let package):
                    throw NotRendered(
                        description: "no font that is installed has its text; install the package \(package)")
                }
            }
        }
        let (exit, _) = await BoundedChild.run(
            command(picture, format, output: output), binary: context.ffmpeg, environment: context.environment,
            limit: Self.limit, launcher: context.launcher, clock: context.clock)
        guard exit.status == .exited(0) else {
            if case .notStarted(let reason) = exit.status { throw NotRendered(description: reason) }
            throw NotRendered(
                description: exit.log.last(1).first ?? "FFmpeg took longer than \(Self.limit)",
                refused: exit.cause == .unsupported ? RefusedOption(exit.log)?.description : nil)
        }
        let bytes = try Self.read(output)
        return (try clip(bytes, format), bytes)
    }

    private static func write(_ text: String, to path: String) throws {
        guard let file = fopen(path, "we") else {
            throw NotRendered(description: "cannot write \(path): \(String(cString: strerror(errno)))")
        }
        fputs(text, file)
        guard fclose(file) == 0 else {
            throw NotRendered(description: "cannot write \(path): \(String(cString: strerror(errno)))")
        }
    }

    private static func read(_ path: String) throws -> [UInt8] {
        guard let file = fopen(path, "re") else {
            throw NotRendered(description: "cannot read \(path): \(String(cString: strerror(errno)))")
        }
        defer { fclose(file) }
        var info = stat()
        guard fstat(fileno(file), &info) == 0, info.st_size <= SlateClip.mostBytes else {
            throw NotRendered(description: "the slate is too large")
        }
        return [UInt8](unsafeUninitializedCapacity: Int(info.st_size)) { buffer, count in
            count = fread(buffer.baseAddress, 1, buffer.count, file)
        }
    }
}
