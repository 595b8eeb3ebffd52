import BoxConfiguration
import FFmpeg
import Logging
import Testing

@testable import Supervision

@Suite struct CallerCheckTests {
    private func check(_ streamid: SecretReference?) throws -> CallerCheck {
        let source = SRTSource(listen: try SocketAddress(parsing: "127.0.0.1:9000"), streamid: streamid)
        return CallerCheck(source, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func reader(_ environment: [String: String]) -> SecretReader {
        SecretReader(environment: environment, disk: ServiceContext.none().disk)
    }

    /// Returns the verdict on a caller that names this stream id.
    private func verdict(_ check: CallerCheck, _ streamID: String) -> CallerCheck.Verdict? {
        check.begin()
        return check.handle(LogLine(level: .verbose, text: "accept streamid \(SRTCaller.words(for: streamID))"))
    }

    @Test("a stream id by reference -> callers need its present value")
    func reference() async throws {
        let check = try check(.env("ID"))
        #expect(check.asksForStreamID)
        try await check.readStreamID(reader(["ID": "#!::u=camera"]))
        #expect(verdict(check, "#!::u=camera") == .right)
        #expect(verdict(check, "#!::u=other") == .wrong)
        try await check.readStreamID(reader(["ID": "#!::u=other"]))
        #expect(verdict(check, "#!::u=camera") == .wrong)
        #expect(verdict(check, "#!::u=other") == .right)
    }

    @Test("a stream id cannot be read -> no caller is right, or the former id stays in use")
    func unreadable() async throws {
        let check = try check(.env("ID"))
        await #expect(throws: SecretError.self) { try await check.readStreamID(reader([:])) }
        #expect(verdict(check, "") == .wrong)
        #expect(verdict(check, "#!::u=camera") == .wrong)
        try await check.readStreamID(reader(["ID": "#!::u=camera"]))
        await #expect(throws: SecretError.self) { try await check.readStreamID(reader([:])) }
        await check.reloadStreamID(reader([:]))
        #expect(verdict(check, "#!::u=camera") == .right)
        await check.reloadStreamID(reader(["ID": "#!::u=other"]))
        #expect(verdict(check, "#!::u=camera") == .wrong)
    }

    @Test("no stream id is configured -> any caller is right")
    func none() async throws {
        let check = try check(nil)
        try await check.readStreamID(reader([:]))
        #expect(verdict(check, "#!::u=anybody") == .right)
        // Also where FFmpeg does not tell which one a caller names.
        check.begin()
        #expect(check.handle(LogLine(level: .info, text: "Input #0, data, from 'srt://127.0.0.1:9000':")) == .right)
    }
}
