import Testing

@testable import FFmpeg
@testable import Supervision

/// The transport that a camera is asked for.
@Suite struct TransportChoiceTests {
    private func log(_ lines: String...) -> LogExcerpt {
        var log = LogExcerpt()
        for line in lines { log.append(line) }
        return log
    }

    /// As FFmpeg 5.1, 7.1 and 9 print them.
    private static let refusals = [
        "[rtsp @ 0x1] method SETUP failed: 459 Aggregate Operation Not Allowed",
        "[rtsp @ 0x1] method SETUP failed: 500Internal Server Error",
        "[in#0 @ 0x1] method SETUP failed: 461 (Unsupported Transport)",
        "[rtsp @ 0x1] Nonmatching transport in server reply",
        "rtsp://127.0.0.1:1/camera: Server returned 400 Bad Request",
        "[in#0 @ 0x1] Error opening input: Server returned 400 Bad Request",
    ]

    @Test("a camera refuses TCP -> UDP is next, and TCP if that fails", arguments: refusals)
    func refused(line: String) {
        var choice = TransportChoice()
        choice.ended(log(line), hasDelivered: false)
        #expect(choice.next == .udp)
        choice.ended(log("Connection refused"), hasDelivered: false)
        #expect(choice.next == .auto)
    }

    @Test(
        "a camera fails for another reason -> TCP again",
        arguments: [
            "[rtsp @ 0x1] method SETUP failed: 401 Unauthorized",
            "[rtsp @ 0x1] method DESCRIBE failed: 500 Internal Server Error",
            "[rtsp @ 0x1] method SETUP failed: 453 Not Enough Bandwidth", "Connection refused",
        ])
    func other(line: String) {
        var choice = TransportChoice()
        choice.ended(log(line), hasDelivered: false)
        #expect(choice.next == .auto)
    }

    @Test("a camera delivered by UDP -> UDP again")
    func delivered() {
        var choice = TransportChoice()
        choice.ended(log("[rtsp @ 0x1] method SETUP failed: 500 Internal Server Error"), hasDelivered: false)
        choice.ended(log("Connection reset by peer"), hasDelivered: true)
        #expect(choice.next == .udp)
    }
}
