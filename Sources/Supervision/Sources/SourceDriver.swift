import BoxConfiguration
import FFmpeg
import MPEGTS

/// Reads the source of one kind.
///
/// A ``SourceRunner`` runs the process of a source and restarts it; the driver defines the process, and handles the
/// events of its kind of source.
protocol SourceDriver: Sendable {
    var context: SourceContext { get }
    /// When a process that ended is started again.
    var restartPolicy: RestartPolicy { get }
    /// How long a source that delivered may be silent before its process is replaced.
    var stallPatience: Duration { get }
    /// How many senders were rejected, by reason. `nil` for a source that no sender connects to.
    var refusals: [String: Int]? { get }

    /// Runs the source's port, or watches its card, until `process` returns.
    ///
    /// - Parameter process: Runs the source's process, with all restarts.
    func run(_ process: () async -> Void) async
    /// Runs the source's process once, until it has ended.
    func runOnce(_ child: ChildHandle) async throws
    /// Called when the channel wants the source to run, or no longer does.
    func want(_ wanted: Bool)
    /// Ends the work that ``run(_:)`` does beside the process. Does not wait.
    func finish()
    /// Reads again the secrets that admit senders.
    func reloadSecrets() async

    /// Called when the source delivers, also again after a stall.
    func sourceDelivers()
    /// Called when the source no longer delivers.
    ///
    /// - Returns: Whether its process is replaced unless it delivers soon.
    func sourceStalls() -> Bool
    /// Called when the first program of the source is known, or has changed.
    func sourceHas(_ program: Program)
    /// Called when the source's audio is in another format than the channel's.
    func sourceHas(_ audio: AACFormat, channel: AACFormat)
}

extension SourceDriver {
    var restartPolicy: RestartPolicy { .relay }
    /// A relay that waits for a frozen sender holds the port or the connection that the next sender needs. For example,
    /// an SRT caller that does not close its connection keeps its listener busy.
    var stallPatience: Duration { .seconds(4) }
    var refusals: [String: Int]? { nil }

    func run(_ process: () async -> Void) async { await process() }
    func want(_ wanted: Bool) { context.process.report(.want(wanted)) }
    func finish() {}
    func reloadSecrets() async {}

    func sourceDelivers() {}
    func sourceStalls() -> Bool { true }
    func sourceHas(_ program: Program) {}
    func sourceHas(_ audio: AACFormat, channel: AACFormat) {}
}

extension SourceContext {
    /// Makes the driver for the source's kind.
    func makeDriver() -> any SourceDriver {
        switch source.kind {
        case .capture(let capture): CaptureSourceDriver(capture, in: self)
        case .raw(let raw): RawSourceDriver(raw, in: self)
        case .rtmp(let rtmp): RTMPSourceDriver(rtmp, in: self)
        case .srt(let srt): SRTSourceDriver(srt, in: self)
        case .pull, .file, .test: RelaySourceDriver(in: self)
        }
    }
}
