import Testing

@testable import FFmpeg

@Suite struct SRTCallerTests {
    @Test("the listener's words about its caller are compared as a whole")
    func words() {
        func named(_ text: String) -> SRTCaller? {
            SRTCaller(LogLine(parsing: "[srt @ 0x55d1c0] [verbose] accept streamid \(text)"))
        }
        #expect(named("[#!::u=x], length 7") == .accepted(SRTCaller.words(for: "#!::u=x")))
        #expect(named("[], length 0") == .accepted(SRTCaller.words(for: "")))
        // The length includes the bytes after a zero byte, and the id is compared as a whole.
        for other in [
            "[#!::u=x], length 9", "[#!::u=], length 6", "[#!::u=x], length 7], length 18", "[#!::u=y], length 7", "[",
        ] {
            #expect(named(other) != .accepted(SRTCaller.words(for: "#!::u=x")))
        }
    }

    @Test(
        "only the listener's own words are about a caller",
        arguments: [
            ("[mpegts @ 0x1] [warning] accept streamid [x], length 1", nil), ("accept streamid [x], length 1", nil),
            ("[srt @ 0x1] [verbose] listening", nil),
            ("[info] Input #0, mpegts, from 'srt://127.0.0.1:9000':", .opened), ("[warning] Input #0, mpegts", nil),
            (
                "16:16:50.08/SRT:RcvQ:w1!W:SRT.cn: processConnectRequest: rsp(REJECT): 1010 - Incorrect passphrase",
                .wrongPassphrase
            ),
            (
                """
                16:16:58.30/SRT:RcvQ:w1!W:SRT.cn: processConnectRequest: rsp(REJECT): 1011 - Password required or \
                unexpected
                """,
                .wrongPassphrase
            ),
            ("16:16:58.30/SRT:RcvQ:w1!W:SRT.cn: processConnectRequest: rsp(REJECT): 1002 - Peer", nil),
        ] as [(String, SRTCaller?)])
    func lines(line: String, caller: SRTCaller?) { #expect(SRTCaller(LogLine(parsing: line)) == caller) }
}
