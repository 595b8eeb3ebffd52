import Redaction
import Testing

@Suite struct RedactorTests {
    @Test("known values are masked, as written and percent-encoded")
    func known() {
        let redactor = Redactor(secrets: ["live_12 34/ab", "live_12"])
        #expect(redactor.redacted("key live_12 34/ab, live_12%2034%2Fab and live_12!") == "key ****, **** and ****!")
        #expect(redactor.redacted("nothing here") == "nothing here")
        #expect(redactor.adding(["other-9"]).redacted("live_12 other-9other-9") == "**** ********")
    }

    @Test("secrets in an address are masked even if unknown")
    func addresses() {
        #expect(Redactor().redacted("open rtsp://user:pw@host/x failed") == "open rtsp://****@host/x failed")
    }

    @Test("values that are too short to mask leave the text readable")
    func short() {
        #expect(Redactor(secrets: ["", "e"]).redacted("the text") == "the text")
    }

    @Test("a book masks every value it has learned, except plain words")
    func book() {
        let book = SecretBook()
        book.learn(["tok3n-a", "live"])
        book.learn(["tok3n-b"])
        #expect(book.redactor.redacted("live: tok3n-a tok3n-b") == "live: **** ****")
        book.learn((0..<5000).map { "filler-\($0)" })
        #expect(book.redactor.redacted("tok3n-a filler-4999") == "tok3n-a ****", "the oldest go")
    }
}
