import CapabilityProbe
import TestSupport
import Testing

/// Asking a driver through a child: a crash, a hang or an invalid answer affects one answer only.
@Suite struct VAProbeTests {
    private func ask(_ script: String, limit: Duration = Limit.seconds(30)) async throws -> VAResult {
        await VAProbe.ask(
            "/dev/null", program: ["/bin/sh", "-c", script], environment: ["PATH": "/usr/bin:/bin"], limit: limit)
    }

    @Test("the child's output is the report")
    func report() async throws {
        let encoder = #"{"profile":"P","entrypoint":"E","rateControls":["CBR"]}"#
        let result = try await ask(#"echo '{"driver":"x","encoders":[\#(encoder)],"processesVideo":true}'"#)
        guard case .report(let report) = result else { return #expect(Bool(false), "\(result)") }
        #expect(
            report.driver == "x" && report.encoders[0].rateControls == ["CBR"] && report.encoders[0].mostWidth == nil)
    }

    @Test("a crash, a hang, a refusal and an invalid answer have different kinds")
    func failures() async throws {
        #expect(try await ask("kill -SEGV $$") == .failed(VAFailure(.crashed, "the VA driver crashes (signal 11)")))
        #expect(
            try await ask("echo 'the driver says no' >&2; exit 1") == .failed(VAFailure(.refused, "the driver says no"))
        )
        #expect(
            try await ask("echo nonsense") == .failed(VAFailure(.unanswered, "the VA driver's answer cannot be read")))
        guard case .failed(let failure) = try await ask("sleep 600", limit: .milliseconds(300)) else {
            return #expect(Bool(false))
        }
        #expect(failure.kind == .hung && failure.reason.contains("hangs"))
    }
}
