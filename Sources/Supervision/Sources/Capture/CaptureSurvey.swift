package import CapabilityProbe
import Synchronization
import SystemSupport

/// Lists the capture cards. Each card is asked by itself: a driver that hangs hides no other card.
///
/// A card that does not answer is not asked again until it has answered: it holds one thread, however often the cards
/// are listed.
package final class CaptureSurvey: Sendable {
    private struct State {
        /// The questions without an answer, by the `id` of candidates.
        var asked: [String: Question] = [:]
        /// The last answer of each. A card that is on air keeps it while its driver takes its time.
        var answers: [String: CaptureCandidate.Answer] = [:]
    }

    private enum Question {
        case waitedFor
        /// The answer takes longer than ``patience``.
        case overdue
    }

    private let state = Mutex(State())
    private let list: @Sendable () -> CaptureCandidateList
    private let ask: @Sendable (CaptureCandidate) -> CaptureCandidate.Answer
    private let hasAnswered: @Sendable () -> Void
    private let patience: Duration

    /// How long udev's database may take.
    private static let listPatience = Duration.seconds(10)

    /// - Parameter hasAnswered: Called when a card answers late: the cards are worth another listing.
    package convenience init(hasAnswered: @escaping @Sendable () -> Void = {}) {
        self.init(list: { CaptureCandidateList.read() }, ask: { $0.ask() }, hasAnswered: hasAnswered)
    }

    /// - Parameter patience: How long a driver may take to answer.
    init(
        patience: Duration = .seconds(2), list: @escaping @Sendable () -> CaptureCandidateList,
        ask: @escaping @Sendable (CaptureCandidate) -> CaptureCandidate.Answer,
        hasAnswered: @escaping @Sendable () -> Void
    ) {
        self.list = list
        self.ask = ask
        self.hasAnswered = hasAnswered
        self.patience = patience
    }

    /// Returns the cards that are plugged in now. `nil` when udev does not answer in time.
    package func listCards() async -> [CaptureDevice]? {
        guard let found = await BlockingIO.run(atMost: Self.listPatience, list) else { return nil }
        let due = state.withLock { state in
            let ids = Set(found.candidates.map(\.id))
            state.asked = state.asked.filter { ids.contains($0.key) }
            state.answers = state.answers.filter { ids.contains($0.key) }
            let due = found.candidates.filter { state.asked[$0.id] == nil }
            for candidate in due { state.asked[candidate.id] = .waitedFor }
            return due
        }
        await withDiscardingTaskGroup { tasks in
            for candidate in due { tasks.addTask { await self.ask(candidate) } }
        }
        return found.devices(state.withLock(\.answers))
    }

    private func ask(_ candidate: CaptureCandidate) async {
        let isInTime = await BlockingIO.run(atMost: patience) { [self] in
            let answer = ask(candidate)
            let question = state.withLock { state -> Question? in
                guard let question = state.asked.removeValue(forKey: candidate.id) else { return nil }
                state.answers[candidate.id] = answer
                return question
            }
            if question == .overdue { hasAnswered() }
            return true
        }
        guard isInTime == nil else { return }
        state.withLock { if $0.asked[candidate.id] != nil { $0.asked[candidate.id] = .overdue } }
    }
}
