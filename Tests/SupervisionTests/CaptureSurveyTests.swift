import BoxConfiguration
import Dispatch
import Synchronization
import TestSupport
import Testing

@testable import CapabilityProbe
@testable import Supervision

/// Capture cards whose drivers take their time, or hang.
@Suite struct CaptureSurveyTests {
    private static func candidate(_ number: Int, plugged: Int = 1, captures: Bool? = true) -> CaptureCandidate {
        CaptureCandidate(
            id: "video\(number) \(plugged)",
            device: CaptureDevice(path: "port-\(number)", name: "Cam", node: "/dev/video\(number)"), captures: captures)
    }

    /// Drivers that answer, and some that do not until they are let.
    private final class Drivers: Sendable {
        struct State {
            var candidates: [CaptureCandidate] = []
            var hung: Set<String> = []
            var asked: [String] = []
        }
        let state = Mutex(State())
        private let gate = DispatchSemaphore(value: 0)

        func list() -> CaptureCandidateList { CaptureCandidateList(candidates: state.withLock(\.candidates)) }

        func ask(_ candidate: CaptureCandidate) -> CaptureCandidate.Answer {
            let isHung = state.withLock { state in
                state.asked.append(candidate.id)
                return state.hung.contains(candidate.id)
            }
            if isHung { gate.wait() }
            return .init(captures: true, driver: "it", modes: [])
        }

        func letGo() { gate.signal() }
    }

    private static func survey(_ drivers: Drivers, hasAnswered: @escaping @Sendable () -> Void = {}) -> CaptureSurvey {
        // On a busy machine those that answer take a while, too.
        CaptureSurvey(
            patience: .seconds(10), list: { drivers.list() }, ask: { drivers.ask($0) }, hasAnswered: hasAnswered)
    }

    @Test("a card hangs -> it is listed as such, asked once, and usable once it answers")
    func hangs() async throws {
        let drivers = Drivers()
        drivers.state.withLock { ($0.candidates, $0.hung) = ([1, 2, 3].map { Self.candidate($0) }, ["video2 1"]) }
        let answers = Mutex(0)
        let survey = Self.survey(drivers) { answers.withLock { $0 += 1 } }
        for _ in 1...3 {
            let found = try #require(await survey.listCards())
            #expect(
                found.map(\.path) == ["port-1", "port-2", "port-3"] && found.map(\.isHung) == [false, true, false])
            #expect(
                found[1].accessProblem?.contains("/dev/video2 does not answer") == true && found[0].accessProblem == nil
            )
        }
        #expect(
            drivers.state.withLock { state in
                [1, 2, 3].map { number in state.asked.count { $0 == "video\(number) 1" } }
            } == [3, 1, 3])
        #expect(answers.withLock { $0 } == 0)
        drivers.letGo()
        try await eventually("its answer") { answers.withLock { $0 } == 1 }
        drivers.state.withLock { $0.hung = [] }
        #expect(await survey.listCards()?.map(\.isHung) == [false, false, false])
        #expect(answers.withLock { $0 } == 1)
    }

    @Test("a known card hangs -> its answer stays; plugged again -> it is asked again")
    func known() async throws {
        let drivers = Drivers()
        drivers.state.withLock { $0.candidates = [Self.candidate(1)] }
        let survey = Self.survey(drivers) { Issue.record("nobody waits for it") }
        let first = try #require(await survey.listCards())
        drivers.state.withLock { $0.hung = ["video1 1"] }
        #expect(await survey.listCards() == first)
        drivers.state.withLock { $0.candidates = [Self.candidate(1, plugged: 2)] }
        #expect(await survey.listCards() == first)
        #expect(drivers.state.withLock { $0.asked } == ["video1 1", "video1 1", "video1 2"])
        drivers.letGo()
        drivers.state.withLock { $0.candidates = [] }
        #expect(await survey.listCards() == [])
    }

    @Test("a node hangs -> a card, unless udev knows that it is none")
    func unknown() async throws {
        let drivers = Drivers()
        drivers.state.withLock { state in
            state.candidates = [Self.candidate(1, captures: false), Self.candidate(2, captures: nil)]
            state.hung = ["video1 1", "video2 1"]
        }
        #expect(await Self.survey(drivers).listCards()?.map(\.path) == ["port-2"])
        drivers.letGo()
        drivers.letGo()
    }

    @Test("a card hangs -> only a source that names it has it")
    func claims() {
        var hung = CaptureDevice(path: "port-1", name: "Cam", node: "/dev/video1")
        hung.isHung = true
        let good = CaptureDevice(path: "port-2", name: "Cam", node: "/dev/video2")
        var claims = CaptureClaims()
        claims.add("any", .any)
        claims.set([hung])
        #expect(claims.device(of: "any") == hung)
        claims.set([hung, good])
        #expect(claims.device(of: "any") == good)
        claims.add("bound", .path("port-1"))
        #expect(claims.device(of: "bound") == hung && claims.device(of: "any") == good)
    }
}
