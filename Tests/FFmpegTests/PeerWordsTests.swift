import Testing

@testable import FFmpeg

@Suite struct PeerWordsTests {
    private func words(_ lines: String...) -> String? {
        var log = LogExcerpt()
        for line in lines { log.append(line) }
        return PeerWords.of(log)
    }

    @Test(
        "a server's words are read, as FFmpeg 5.1 to 9 print them",
        arguments: [
            ("[rtmp @ 0x55a90036bcc0] Server error: Denied", "Denied"),
            ("[rtmp @ 0x1] Server error: Stream already publishing", "Stream already publishing"),
            (
                "[rtmp @ 0x1] Server error: [ AccessManager.Reject ] :  [ code=403 need auth ] :",
                "[ AccessManager.Reject ] : [ code=403 need auth ] :"
            ),
            ("[https @ 0x1] HTTP error 403 Forbidden", "403 Forbidden"),
            ("https://h/x: Server returned 403 Forbidden (access denied)", "403 Forbidden (access denied)"),
        ])
    func read(line: String, wanted: String) {
        #expect(
            words("[tcp @ 0x1] something else", line, "[error] Error opening output files: Operation not permitted")
                == wanted)
    }

    @Test(
        "the reason of an SRT rejection is read, as libsrt 1.5 prints it",
        arguments: [
            ("processAsyncConnectRequest", "Incorrect passphrase"),
            ("@997641683: processAsyncConnectRequest", "MessageAPI/StreamAPI collision"),
        ])
    func srt(place: String, reason: String) {
        let start = "07:09:19.015226/SRT:RcvQ:w1!W:SRT.cn: \(place): REJECT reported from HS processing: "
        #expect(words("\(start)\(reason) - not processing further", "srt://h:1: Input/output error") == reason)
    }

    @Test("a server's own words come before FFmpeg's words for its status")
    func weight() {
        #expect(words("http://h/x: Server returned 5XX Server Error reply") == nil)
        let both = words("http://h/x: Server returned 404 Not Found", "[http @ 0x1] HTTP error 404 No such camera")
        #expect(both == "404 No such camera")
    }

    @Test("a silent peer is not quoted, and a long message is cut")
    func bounds() {
        #expect(words("[rtmp @ 0x1] Server error: ", "rtmp://h/a: Input/output error") == nil)
        #expect(words() == nil)
        let much = words("[rtmp @ 0x1] Server error: " + String(repeating: "x", count: 5000))
        #expect(much?.count == 161 && much?.hasSuffix("…") == true)
    }
}
