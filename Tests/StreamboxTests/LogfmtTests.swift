import Testing

@testable import streambox

@Suite struct LogfmtTests {
    @Test("plain values stand as they are, others are quoted and stay on one line")
    func quoting() {
        #expect(LogfmtHandler.quoted("rtmp-0") == "rtmp-0")
        #expect(LogfmtHandler.quoted("") == "\"\"")
        #expect(LogfmtHandler.quoted("no picture") == "\"no picture\"")
        #expect(LogfmtHandler.quoted("a=b \"c\"\n\u{1B}[0m") == "\"a=b \\\"c\\\"\\n?[0m\"")
    }
}
