import BoxConfiguration
import CapabilityProbe
import Logging
import Synchronization

/// Knows which capture cards are plugged in, and reports its card to each source.
package final class CaptureManager: Sendable {
    private struct State {
        var claims = CaptureClaims()
        var listeners: [String: Listener] = [:]
        /// The last report to each source.
        var reported: [String: Report] = [:]
        var hasLooked = false
        /// Whether an audio device was plugged in since the cards were last listed.
        var audioCame = false
    }

    private struct Listener {
        var changed: @Sendable (CaptureDevice?) -> Void
        var audioCame: @Sendable () -> Void
        var clockWasSet: @Sendable (Duration) -> Void
    }

    /// A source's card; or, while it has none, the other cards that are plugged in.
    private enum Report: Equatable {
        case card(CaptureDevice)
        case others([String])
    }

    private let state = Mutex(State())
    /// Held while listeners are called, so that the last report to each is true.
    private let reporting = Mutex(())
    private let logger: Logger
    private let list: @Sendable () async -> [CaptureDevice]?
    private let looks: AsyncStream<Void>
    private let queue: AsyncStream<Void>.Continuation

    /// The pause before udev is asked again after it did not answer.
    private static let pause = Duration.seconds(10)

    /// - Parameter list: Lists the cards that are plugged in, or returns `nil` if that fails; for tests.
    init(logger: Logger, list: (@Sendable () async -> [CaptureDevice]?)? = nil) {
        self.logger = logger
        let (looks, queue) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        (self.looks, self.queue) = (looks, queue)
        let survey = CaptureSurvey { queue.yield() }
        self.list = list ?? { await survey.listCards() }
    }

    /// Claims a card for a source, until ``release(_:)``.
    ///
    /// None of the closures may block, nor claim or release anything.
    ///
    /// - Parameters:
    ///   - audioCame: Called when an audio device was plugged in, of the card or not.
    ///   - clockWasSet: Called with the step of the wall clock.
    ///   - changed: Called with the card, or with `nil` when the source no longer has one. Called first once the cards
    ///     are known, and, while the source has none, whenever other cards come or go.
    func claim(
        _ id: String, _ binding: CaptureBinding, audioCame: @escaping @Sendable () -> Void = {},
        clockWasSet: @escaping @Sendable (Duration) -> Void = { _ in },
        changed: @escaping @Sendable (CaptureDevice?) -> Void
    ) {
        state.withLock { state in
            state.claims.add(id, binding)
            state.listeners[id] = Listener(changed: changed, audioCame: audioCame, clockWasSet: clockWasSet)
            state.reported[id] = nil
        }
        reportCards()
        listCards()
    }

    func release(_ id: String) {
        state.withLock { state in
            state.claims.remove(id)
            state.listeners[id] = nil
            state.reported[id] = nil
        }
        reportCards()
    }

    /// Handles a device that was plugged in or pulled.
    func note(_ event: HotplugEvent) {
        if event.subsystem == "sound", event.action != .remove { state.withLock { $0.audioCame = true } }
        if event.subsystem == "video4linux" || event.subsystem == "sound" || event.action == .lost { listCards() }
    }

    /// The wall clock was set, ahead or back.
    func clockWasSet(by step: Duration) {
        reporting.withLock { _ in
            for listener in state.withLock({ Array($0.listeners.values) }) { listener.clockWasSet(step) }
        }
    }

    /// Has the cards listed again, soon.
    func listCards() { queue.yield() }

    /// The cards that are plugged in, for messages.
    var devices: [CaptureDevice] { state.withLock { $0.claims.devices } }

    /// Lists the cards after each event, one listing at a time, until the task is cancelled.
    func run() async {
        for await _ in looks {
            guard let found = await list() else {
                // The known cards stay until udev answers.
                logger.error(
                    "udev does not answer: the capture cards that are plugged in are not known",
                    metadata: ["again": "\(Self.pause)"])
                guard await (try? ContinuousClock().sleep(for: Self.pause)) != nil else { return }
                listCards()
                continue
            }
            let (before, isFirst) = state.withLock { state in
                defer { state.hasLooked = true }
                return (state.claims.devices, !state.hasLooked)
            }
            state.withLock { $0.claims.set(found) }
            report(found, before: isFirst ? [] : before)
            reportCards()
            reportAudio()
        }
    }

    /// Reports to each source whose card has changed.
    private func reportCards() {
        reporting.withLock { _ in
            let news = state.withLock { state -> [(Listener, CaptureDevice?)] in
                guard state.hasLooked else { return [] }
                return state.listeners.compactMap { id, listener in
                    let device = state.claims.device(of: id)
                    let report = device.map { Report.card($0) } ?? .others(state.claims.devices.map(\.path))
                    guard state.reported.updateValue(report, forKey: id) != report else { return nil }
                    return (listener, device)
                }
            }
            for (listener, device) in news { listener.changed(device) }
        }
    }

    private func reportAudio() {
        reporting.withLock { _ in
            let listeners = state.withLock { state in
                defer { state.audioCame = false }
                return state.audioCame ? Array(state.listeners.values) : []
            }
            for listener in listeners { listener.audioCame() }
        }
    }

    private func report(_ devices: [CaptureDevice], before: [CaptureDevice]) {
        for device in devices {
            let former = before.first { $0.path == device.path }
            guard former?.isHung != device.isHung else { continue }
            var metadata: Logger.Metadata = [
                "card": "\(device.name)", "path": "\(device.path)", "serial": "\(device.serial ?? "none")",
                "node": "\(device.node)",
            ]
            if device.isHung {
                metadata["reason"] = "\(device.accessProblem ?? "its driver hangs")"
                logger.error("a capture card cannot be used", metadata: metadata)
            } else {
                logger.notice(
                    former == nil ? "a capture card is plugged in" : "the capture card answers", metadata: metadata)
            }
        }
        for device in before where !devices.contains(where: { $0.path == device.path }) {
            logger.warning("a capture card is gone", metadata: ["card": "\(device.name)", "path": "\(device.path)"])
        }
    }
}
