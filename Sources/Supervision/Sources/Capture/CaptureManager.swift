import BoxConfiguration
import CapabilityProbe
import Logging
import Synchronization

/// Knows which capture cards are plugged in, and tells sources of theirs.
package final class CaptureManager: Sendable {
    private struct State {
        var claims = CaptureClaims()
        var listeners: [String: Listener] = [:]
        /// What each source was told last.
        var told: [String: Word] = [:]
        var hasLooked = false
        /// Sound was plugged in since the last look.
        var soundCame = false
    }

    private struct Listener {
        var changed: @Sendable (CaptureDevice?) -> Void
        var soundCame: @Sendable () -> Void
        var clockWasSet: @Sendable (Duration) -> Void
    }

    /// A source's card; while it has none, what is there instead is news too.
    private enum Word: Equatable {
        case card(CaptureDevice)
        case others([String])
    }

    private let state = Mutex(State())
    /// Held while listeners are told, so that what each hears last is what holds.
    private let telling = Mutex(())
    private let logger: Logger
    private let list: @Sendable () async -> [CaptureDevice]?
    private let looks: AsyncStream<Void>
    private let queue: AsyncStream<Void>.Continuation

    /// When it is tried again to find out what is plugged in.
    private static let pause = Duration.seconds(10)

    /// - Parameter list: What is plugged in, `nil` where that cannot be had; for tests.
    init(logger: Logger, list: (@Sendable () async -> [CaptureDevice]?)? = nil) {
        self.logger = logger
        let (looks, queue) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        (self.looks, self.queue) = (looks, queue)
        let survey = CaptureSurvey { queue.yield() }
        self.list = list ?? { await survey.look() }
    }

    /// A source wants a card.
    ///
    /// - Parameters:
    ///   - soundCame: Called when sound was plugged in, whoever's it is.
    ///   - clockWasSet: Called with the step of the wall clock.
    ///   - changed: Called with the card, or `nil` when there is none any more; also at first, once it is known what is
    ///     there, and while there is none when others come or go.
    ///
    /// None of them may block, nor claim or release anything.
    func claim(
        _ id: String, _ binding: CaptureBinding, soundCame: @escaping @Sendable () -> Void = {},
        clockWasSet: @escaping @Sendable (Duration) -> Void = { _ in },
        changed: @escaping @Sendable (CaptureDevice?) -> Void
    ) {
        state.withLock { state in
            state.claims.add(id, binding)
            state.listeners[id] = Listener(changed: changed, soundCame: soundCame, clockWasSet: clockWasSet)
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
        if event.subsystem == "sound", event.action != .remove { state.withLock { $0.soundCame = true } }
        if event.subsystem == "video4linux" || event.subsystem == "sound" || event.action == .lost { look() }
    }

    /// The wall clock was set, ahead or back.
    func clockWasSet(by step: Duration) {
        telling.withLock { _ in
            for listener in state.withLock({ Array($0.listeners.values) }) { listener.clockWasSet(step) }
        }
    }

    /// Asks what is there, soon.
    func look() { queue.yield() }

    /// For people.
    var devices: [CaptureDevice] { state.withLock { $0.claims.devices } }

    /// Looks whenever something happened, one look at a time, until the task is cancelled.
    func run() async {
        for await _ in looks {
            guard let found = await list() else {
                // What is known stays so until it answers.
                logger.error(
                    "udev does not answer: what capture cards are plugged in is not known",
                    metadata: ["again": "\(Self.pause)"])
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
            tellOfSound()
        }
    }

    /// Tells who has another card than before.
    private func tell() {
        telling.withLock { _ in
            let news = state.withLock { state -> [(Listener, CaptureDevice?)] in
                guard state.hasLooked else { return [] }
                return state.listeners.compactMap { id, listener in
                    let device = state.claims.device(of: id)
                    let word = device.map { Word.card($0) } ?? .others(state.claims.devices.map(\.path))
                    guard state.told.updateValue(word, forKey: id) != word else { return nil }
                    return (listener, device)
                }
            }
            for (listener, device) in news { listener.changed(device) }
        }
    }

    private func tellOfSound() {
        telling.withLock { _ in
            let listeners = state.withLock { state in
                defer { state.soundCame = false }
                return state.soundCame ? Array(state.listeners.values) : []
            }
            for listener in listeners { listener.soundCame() }
        }
    }

    private func report(_ devices: [CaptureDevice], before: [CaptureDevice]) {
        for device in devices {
            let former = before.first { $0.path == device.path }
            guard former?.isHung != device.isHung else { continue }
            let metadata: Logger.Metadata = [
                "card": "\(device.name)", "path": "\(device.path)", "serial": "\(device.serial ?? "none")",
                "node": "\(device.node)",
            ]
            if device.isHung {
                logger.error(
                    "a capture card cannot be used: \(device.accessProblem ?? "its driver hangs")", metadata: metadata)
            } else {
                logger.notice(
                    former == nil ? "a capture card is there" : "the capture card answers", metadata: metadata)
            }
        }
        for device in before where !devices.contains(where: { $0.path == device.path }) {
            logger.warning("a capture card is gone", metadata: ["card": "\(device.name)", "path": "\(device.path)"])
        }
    }
}
