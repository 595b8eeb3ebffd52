import Testing

@testable import Supervision

/// Causes as the metrics have them.
@Suite struct HandoverCauseTests {
    @Test("whatever the cause, the metrics know its word")
    func closed() {
        let known: Set = [
            "crash", "exit", "stall", "gpu-lost", "gpu-error", "session-limit", "permission", "unsupported", "config",
            "operator", "fail-back", "refresh",
        ]
        #expect(Set(HandoverCause.allCases.map(\.label)) == known)
    }
}
