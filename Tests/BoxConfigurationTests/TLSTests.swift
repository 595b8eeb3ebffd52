import Testing

@testable import BoxConfiguration

@Suite struct TLSTests {
    private func target(_ tls: String) -> String {
        withTargets("{ name: t, url: \"rtmps://h/a\", key: { env: K }\(tls) }")
    }

    @Test("tls: selects the system's authorities, those of a file, or no check")
    func read() throws {
        for (text, wanted) in [
            ("", TLSVerification.system), (", tls: { ca: /ca.pem }", .authorities(file: "/ca.pem")),
            (", tls: { verify: none }", .none),
        ] {
            guard
                case .rtmp(let rtmp) = try parse(target(text)).configuration.channels[0].groups[0].targets[0]
                    .destination
            else { throw CancellationError() }
            #expect(rtmp.tls == wanted)
        }
        guard
            case .pull(let pull) = try parse(withSources("pull: { url: \"https://h/x.ts\", tls: { ca: /ca.pem } }"))
                .configuration.channels[0].sources[0].kind
        else { throw CancellationError() }
        #expect(pull.tls == .authorities(file: "/ca.pem"))
    }

    @Test("only a disabled check gives a warning")
    func warned() throws {
        #expect(
            try notices(target(", tls: { verify: none }")).contains {
                $0.contains("is not checked") && $0.contains("gets the key")
            })
        #expect(try notices(target(", tls: { ca: /ca.pem }")).isEmpty)
    }

    @Test(
        "a wrong tls: is rejected with the fix",
        arguments: [
            ("tls: {}", "tls is empty"), ("tls: { ca: /a, verify: none }", "both ca and verify"),
            ("tls: { verify: yes }", "verify is 'yes'"),
            ("tls: { verify: full }", "write none, or remove it"), ("tls: none", "write a mapping with ca, verify"),
            ("tls: { cert: /a }", "unknown key 'cert'"),
        ])
    func refused(text: String, wanted: String) {
        #expect(mistakes(target(", " + text)).contains { $0.contains(wanted) }, "\(mistakes(target(", " + text)))")
    }

    @Test("tls: is rejected for urls without TLS")
    func without() {
        #expect(
            mistakes(withTargets("{ name: t, url: \"rtmp://h/a\", tls: { ca: /a } }")).contains {
                $0.contains("rtmp:// does not use TLS")
            })
        #expect(
            mistakes(withTargets("{ name: t, url: \"srt://h:1\", tls: { ca: /a } }")).contains {
                $0.contains("an srt target takes no tls")
            })
        #expect(
            mistakes(withSources("pull: { url: \"rtsp://h/a\", tls: { verify: none } }")).contains {
                $0.contains("rtsp:// does not use TLS")
            })
    }
}
