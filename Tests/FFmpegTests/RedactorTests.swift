import Testing

@testable import FFmpeg

@Suite struct RedactorTests {
    @Test("known values disappear, as written and percent-encoded")
    func known() {
        let redactor = Redactor(secrets: ["live_12 34/ab", "live_12"])
        #expect(redactor.redacted("key live_12 34/ab, live_12%2034%2Fab and live_12!") == "key ***, *** and ***!")
        #expect(redactor.redacted("nothing here") == "nothing here")
    }

    @Test(
        "passwords in addresses disappear though nobody knows them",
        arguments: [
            ("open rtsp://user:pa@ss@host/x failed", "open rtsp://***@host/x failed"),
            ("'http://u:p@h?a=b@c'", "'http://***@h?a=b@c'"),
            ("rtmp://host/app", "rtmp://host/app"),
            ("a@b :// c@d", "a@b :// c@d"),
            ("://", "://"),
        ])
    func addresses(text: String, wanted: String) {
        #expect(Redactor().redacted(text) == wanted)
    }

    @Test("values too short to be hidden leave the text readable")
    func short() {
        #expect(Redactor(secrets: ["", "e"]).redacted("the text") == "the text")
    }
}
