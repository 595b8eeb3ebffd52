import Testing

@testable import Supervision

/// The words of the metrics for the causes.
@Suite struct HandoverCauseTests {
    @Test("every cause has a word of the metrics' closed list")
    func closed() {
        let known: Set = [
            "crash", "exit", "stall", "gpu-lost", "gpu-error", "session-limit", "permission", "unsupported", "config",
            "operator", "fail-back", "refresh",
        ]
        #expect(Set(HandoverCause.allCases.map(\.label)) == known)
    }
}
