import Testing

@testable import FFmpeg

/// The failed check of a server's certificate, as OpenSSL reports it.
@Suite struct CertificateQuestionTests {
    private func log(_ lines: String...) -> LogExcerpt {
        var log = LogExcerpt()
        for line in lines { log.append(line) }
        return log
    }

    @Test(
        "the first failed check is identified by its number",
        arguments: [
            ("verify error:num=10:certificate has expired", .outdated),
            ("verify error:num=9:certificate is not yet valid", .outdated),
            ("verify error:num=18:self-signed certificate", .unsigned),
            ("verify error:num=20:unable to get local issuer certificate", .unsigned),
            ("verify error:num=62:hostname mismatch", nil), ("verify error:num=", nil), ("connect:errno=111", nil),
        ] as [(String, FailureCause?)])
    func causes(line: String, cause: FailureCause?) {
        let log = log("depth=0 CN = localhost", line, "notAfter=Feb  1 00:00:00 2020 GMT")
        #expect(CertificateQuestion.cause(in: log) == cause)
    }

    @Test("a certificate that OpenSSL accepts has no cause")
    func accepted() {
        #expect(CertificateQuestion.cause(in: log("CONNECTION ESTABLISHED", "Verification: OK", "DONE")) == nil)
    }

    @Test(
        "OpenSSL asks the same server with the same authorities, and gets no secret",
        arguments: [
            ("rtmps://live.example/app/key", "live.example:443"),
            ("rtmps://live.example:1936/app?key=one", "live.example:1936"),
            ("https://user:password@host/x.ts", "host:443"), ("rtsps://[2001:db8::1]/x", "[2001:db8::1]:322"),
            ("https://[::1]:8443/x", "[::1]:8443"),
        ])
    func command(url: String, server: String) throws {
        let start = ["s_client", "-brief", "-verify_return_error"]
        let system = try #require(CertificateQuestion(url: url, check: .system)).command
        #expect(system.arguments == start + ["-connect", server])
        let own = try #require(CertificateQuestion(url: url, check: .authorities(file: "/etc/ca.pem"))).command
        let trusted = ["-CAfile", "/etc/ca.pem", "-no-CApath", "-no-CAstore"]
        #expect(own.arguments == start + trusted + ["-connect", server])
    }

    @Test("an address whose certificate is not checked has no question")
    func unchecked() {
        #expect(CertificateQuestion(url: "rtmps://live.example/app", check: .none) == nil)
        for url in ["rtmp://live.example/app", "srt://host:9000", "nonsense"] {
            #expect(CertificateQuestion(url: url, check: .system) == nil)
        }
    }
}
