import BoxConfiguration
import DataPath
import FFmpeg
import Glibc
import Logging
import MPEGTS
import MediaTypes
import SystemPackage

/// Keeps a channel's slate ready in the format of the last source on air.
///
/// FFmpeg renders the slate once for each format, while a source is on air. Sending it needs almost no processor time.
/// The first slate is stored for the next start.
actor SlateManager {
    private let channel: ChannelConfiguration
    private let context: ServiceContext
    private let dataPath: DataPath
    private let logger: Logger
    private let report: @Sendable (SlateEvent) -> Void
    private let reportRefusal: @Sendable (String?) -> Void
    private var format: SlateFormat
    /// The slates that are kept, the newest last.
    private var rendered: [(format: SlateFormat, slate: Rendered)] = []
    private var isRendering = false
    private var hasWarnedOfMixedScripts = false

    /// The time limit of a rendering.
    private static let limit = Duration.seconds(60)
    /// The number of formats that are kept.
    private static let mostFormats = 2

    private struct Rendered {
        var clip: SlateClip
        /// The option of the configured slate that FFmpeg refused. `clip` is then a plain card. `nil` if it refused
        /// nothing.
        var refused: String?
    }

    /// - Parameters:
    ///   - reportRefusal: Called with the option that FFmpeg refuses for the configured slate. `nil` if it refuses
    ///     nothing.
    ///   - report: Called when the slate goes on or off air.
    init(
        _ channel: ChannelConfiguration, context: ServiceContext, dataPath: DataPath,
        tell reportRefusal: @escaping @Sendable (String?) -> Void,
        report: @escaping @Sendable (SlateEvent) -> Void
    ) {
        self.channel = channel
        self.context = context
        self.dataPath = dataPath
        self.reportRefusal = reportRefusal
        self.report = report
        format = SlateFormat(expecting: channel)
        logger = context.logger(["channel": "\(channel.name)"])
    }

    /// Makes the first slate, in the expected format. Retries until there is one, or the task is cancelled.
    func run() async {
        var pause = Duration.seconds(1)
        while !Task.isCancelled {
            await prepare()
            if !rendered.isEmpty { return }
            guard await (try? context.clock.sleep(for: pause)) != nil else { return }
            pause = min(pause * 2, .seconds(60))
        }
    }

    /// Makes the slate in the format of a source that went on air.
    func follow(_ source: VideoFormat?) async {
        guard let source else { return }
        format = SlateFormat(source, fallback: format)
        await prepare()
    }

    /// Gives the data path the slate in the current format, and renders it first if it is not kept.
    ///
    /// Only one call renders at a time. If the format changes meanwhile, that call then makes the slate in the new
    /// format.
    private func prepare() async {
        guard !isRendering else { return }
        isRendering = true
        defer { isRendering = false }
        while true {
            let wanted = format
            if let index = rendered.firstIndex(where: { $0.format == wanted }) {
                rendered.append(rendered.remove(at: index))
            } else if let slate = await renderOrFallBack(wanted) {
                rendered.append((wanted, slate))
                if rendered.count > Self.mostFormats { rendered.removeFirst() }
            } else {
                return
            }
            guard format == wanted else { continue }
            let slate = rendered.last!.slate
            reportRefusal(slate.refused)
            await dataPath.setSlate(slate.clip, of: channel.name, report: report)
            return
        }
    }

    /// Renders the configured slate, or else a plain card. `nil` if neither can be made.
    private func renderOrFallBack(_ format: SlateFormat) async -> Rendered? {
        let slate = channel.slate
        var refused: String?
        if slate.image != nil || slate.text != nil {
            do {
                return Rendered(clip: try await loadOrRender(format, asConfigured: true))
            } catch {
                // A stop cancels the rendering: no slate is needed then.
                guard !Task.isCancelled else { return nil }
                refused = (error as? NotRendered)?.refused
                logger.error(
                    "the slate cannot be made as configured, using a plain card", metadata: ["reason": "\(error)"])
            }
        }
        do {
            return Rendered(clip: try await loadOrRender(format, asConfigured: false), refused: refused)
        } catch {
            guard !Task.isCancelled else { return nil }
            reportRefusal((error as? NotRendered)?.refused ?? refused)
            logger.error("the slate cannot be made", metadata: ["reason": "\(error)"])
            return nil
        }
    }

    private struct NotRendered: Error, CustomStringConvertible {
        var description: String
        /// The option that FFmpeg refused. `nil` if it failed for another reason.
        var refused: String?
    }

    /// Returns the first slate as it was stored by an earlier run, or a new one.
    private func loadOrRender(_ format: SlateFormat, asConfigured: Bool) async throws -> SlateClip {
        guard rendered.isEmpty, let store = context.slates else {
            return try await runFFmpeg(format, asConfigured: asConfigured).clip
        }
        let picture =
            asConfigured
            ? SlateCommand.Picture(
                image: channel.slate.image, textFile: channel.slate.text.map { _ in "" },
                font: channel.slate.text.flatMap { Self.font(for: $0) })
            : .plain
        guard let image = try await identity(of: picture.image, "the slate's image"),
            let font = try await identity(of: picture.font, "the slate's font")
        else {
            return try await runFFmpeg(format, asConfigured: asConfigured).clip
        }
        let inputs = SlateStore.Inputs(
            command(picture, format, output: ""), by: context.ffmpeg, text: asConfigured ? channel.slate.text : nil,
            identities: [image, font])
        let stored = await store.read(inputs, of: channel.name, by: context.disk)
        if let stored, let clip = try? clip(stored, format) { return clip }
        let (clip, bytes) = try await runFFmpeg(format, asConfigured: asConfigured)
        // The slate does not wait for the disk.
        Task { [name = channel.name, disk = context.disk] in await store.write(bytes, inputs, of: name, by: disk) }
        return clip
    }

    /// Identifies a file, which may be on a network disk.
    ///
    /// - Returns: `nil` if its identity is unknown.
    private func identity(of path: String?, _ name: String) async throws -> String? {
        guard let path else { return FileLookup.none }
        switch await context.disk.lookUp(path) {
        case .found(let identity): return identity
        case .unknown: return nil
        case .silent:
            throw NotRendered(
                description:
                    "the disk with \(name) \(path) does not answer; check that disk"
            )
        }
    }

    /// Logs once that a part of the text cannot be drawn, because no font has all its scripts.
    private func warnOfMixedScripts(in text: String) {
        guard !hasWarnedOfMixedScripts, Fonts.lacksPart(of: text) else { return }
        hasWarnedOfMixedScripts = true
        logger.warning(
            """
            the slate's text mixes scripts that no font has together, so part of it is empty boxes: write it in one \
            script, or draw it into an image
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

    private func runFFmpeg(_ format: SlateFormat, asConfigured: Bool) async throws -> (clip: SlateClip, bytes: [UInt8])
    {
        // The random part keeps the files apart from those of a manager that a reload has replaced and that still
        // renders.
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
                    warnOfMixedScripts(in: text)
                case .missing(let package):
                    throw NotRendered(
                        description: "no installed font has its text; install the package \(package)")
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
