import CapabilityProbe
import Configuration
public import Logging
import Synchronization

/// Knows which capture cards are plugged in, and tells sources of theirs.
public final class CaptureKeeper: Sendable {
    private struct State {
        var claims = CaptureClaims()
        var listeners: [String: @Sendable (CaptureDevice?) -> Void] = [:]
        /// What each source was told last.
        var told: [String: Word] = [:]
        var hasLooked = false
    }

    /// A source's card; while it has none, what is there instead is news too.
    private enum Word: Equatable {
        case card(CaptureDevice)
        case others([String])
    }

    private let state = Mutex(State())
    private let logger: Logger
    private let looks: AsyncStream<Void>
    private let queue: AsyncStream<Void>.Continuation

    /// How long a listing may take, and when it is tried again after it took longer.
    private static let driverPatience = Duration.seconds(10), pause = Duration.seconds(10)

    public init(logger: Logger) {
        self.logger = logger
        (looks, queue) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// A source wants a card.
    ///
    /// - Parameter changed: Called with the card, or `nil` when there is none any more; also at first, once it is known what is
    ///   there, and while there is none when others come or go. It must not block.
    func claim(_ id: String, _ binding: CaptureBinding, changed: @escaping @Sendable (CaptureDevice?) -> Void) {
        state.withLock { state in
            state.claims.add(id, binding)
            state.listeners[id] = changed
            state.told[id] = nil
        }
        tell()
        look()
    }

    func release(_ id: String) {
        state.withLock { state in
            state.claims.remove(id)
            state.listeners[id] = nil
            state.told[id] = nil
        }
        tell()
    }

    /// Something was plugged in or pulled.
    func note(_ event: HotplugEvent) {
        if event.subsystem == "video4linux" || event.subsystem == "sound" || event.action == .lost { look() }
    }

    /// Asks what is there, soon.
    func look() { queue.yield() }

    /// For people.
    var devices: [CaptureDevice] { state.withLock { $0.claims.devices } }

    /// Looks whenever something happened, one look at a time, until the task is cancelled.
    func run() async {
        for await _ in looks {
            guard let found = await Offload.run(atMost: Self.driverPatience, { CaptureList.read() }) else {
                // A card that hangs must not hide the others for ever: what is known stays so until it answers.
                logger.error("a capture card does not answer: what is plugged in is not known", metadata: ["again": "\(Self.pause)"])
                guard await (try? ContinuousClock().sleep(for: Self.pause)) != nil else { return }
                look()
                continue
            }
            let (before, isFirst) = state.withLock { state in
                defer { state.hasLooked = true }
                return (state.claims.devices, !state.hasLooked)
            }
            state.withLock { $0.claims.set(found) }
            report(found, before: isFirst ? [] : before)
            tell()
        }
    }

    /// Tells who has another card than before.
    private func tell() {
        let news = state.withLock { state -> [(@Sendable (CaptureDevice?) -> Void, CaptureDevice?)] in
            guard state.hasLooked else { return [] }
            return state.listeners.compactMap { id, listener in
                let device = state.claims.device(of: id)
                let word = device.map { Word.card($0) } ?? .others(state.claims.devices.map(\.path))
                guard state.told.updateValue(word, forKey: id) != word else { return nil }
                return (listener, device)
            }
        }
        for (listener, device) in news { listener(device) }
    }

    private func report(_ devices: [CaptureDevice], before: [CaptureDevice]) {
        for device in devices where !before.contains(where: { $0.path == device.path }) {
            logger.notice(
                "a capture card is there",
                metadata: ["card": "\(device.name)", "path": "\(device.path)", "serial": "\(device.serial ?? "none")", "node": "\(device.node)"])
        }
        for device in before where !devices.contains(where: { $0.path == device.path }) {
            logger.warning("a capture card is gone", metadata: ["card": "\(device.name)", "path": "\(device.path)"])
        }
    }
}
