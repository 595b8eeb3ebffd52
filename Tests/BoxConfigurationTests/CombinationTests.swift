import Testing

@testable import BoxConfiguration

@Suite struct CombinationTests {
    @Test("a name that is used twice reports the first place")
    func names() {
        let text = """
            channels:
            - name: a
              sources: [{ test: {} }]
              groups:
              - { name: g, targets: [{ name: t, record: { folder: x } }] }
            - name: a
              sources: [{ test: {} }]
              groups:
              - { name: g, targets: [{ name: t, record: { folder: y } }] }
            """
        #expect(
            mistakes(text) == [
                "box.yaml:6:9: the channel name 'a' is already used in line 2; give each channel its own name",
                "box.yaml:9:13: the group name 'g' is already used in line 5; give each group its own name",
                "box.yaml:9:34: the target name 't' is already used in line 5; give each target its own name",
            ])
    }

    @Test("a channel, a group and a target may share a name")
    func sharedNames() {
        #expect(mistakes(inGroup("  - { name: main, targets: [{ name: main, record: { folder: x } }] }")) == [])
    }

    @Test(
        "a name that is too long, has other letters or begins with - is rejected",
        arguments: ["", "-a", "a_b", "ä", "abcdefghijabcdefghijabcdefghijabc"])
    func badNames(name: String) {
        #expect(mistakes("channels: [{ name: \"\(name)\", tap: true, sources: [{ test: {} }] }]").count == 1)
    }

    @Test("two listeners on one port are rejected")
    func samePort() {
        #expect(
            mistakes(withSources("rtmp: { listen: \"0.0.0.0:1935\" }", "rtmp: { listen: \"10.0.0.1:1935\" }")) == [
                """
                box.yaml:6:21: the rtmp source listens on 10.0.0.1:1935, but the rtmp source in line 5 already \
                listens on 0.0.0.0:1935, which covers it (TCP); give one of them another port
                """
            ])
        #expect(
            mistakes(withSources("srt: { listen: \"[::]:9000\" }", "srt: { listen: \"127.0.0.1:9000\" }")).count == 1)
        #expect(
            mistakes(withSources("srt: { listen: \"localhost:9000\" }", "srt: { listen: \"127.0.0.1:9000\" }")).count
                == 1)
    }

    @Test("listeners on different addresses, ports or transports are accepted")
    func otherPorts() {
        #expect(
            mistakes(
                withSources(
                    "rtmp: { listen: \"0.0.0.0:1935\" }", "srt: { listen: \"0.0.0.0:1935\" }",
                    "rtmp: { listen: \"0.0.0.0:1936\" }",
                    "rtmp: { listen: \"[::1]:1935\" }")) == [])
        #expect(
            mistakes(withSources("rtmp: { listen: \"10.0.0.1:1935\" }", "rtmp: { listen: \"10.0.0.2:1935\" }")) == [])
    }

    @Test("a source on the port of the status is rejected, in any order")
    func statusPort() {
        let source = withSources("rtmp: { listen: \"0.0.0.0:9163\" }")
        #expect(
            mistakes("status: { listen: \"127.0.0.1:9163\" }\n" + source) == [
                """
                box.yaml:6:21: the rtmp source listens on 0.0.0.0:9163, but status in line 1 already listens on \
                127.0.0.1:9163, which covers it (TCP); give one of them another port
                """
            ])
        #expect(mistakes(source + "status: { listen: \"127.0.0.1:9163\" }\n").count == 1)
    }

    @Test("an srt target in listener mode counts as a listener")
    func listenerTarget() {
        let target = "{ name: t, url: \"srt://:9000?mode=listener\" }"
        #expect(mistakes(withTargets(target)) == [])
        let other = "{ name: u, url: \"srt://127.0.0.1:9000?mode=listener\" }"
        #expect(mistakes(withTargets(target, other)).count == 1)
    }

    @Test("two targets with one recording folder are rejected, however it is spelt")
    func folders() {
        let text = withTargets("{ name: a, record: { folder: /rec/x } }", "{ name: b, record: { folder: /rec/./x/ } }")
        #expect(
            mistakes(text) == [
                """
                box.yaml:10:36: the folder /rec/./x/ is already recorded into in line 9; give each target its own \
                folder
                """
            ])
    }

    @Test("a setting that is probably a mistake is a warning")
    func warnings() throws {
        #expect(
            try notices("channels: [{ name: a, sources: [{ test: {} }] }]") == [
                """
                box.yaml:1:12: channel 'a' has neither groups nor a tap, so its stream is not used; add groups: \
                or tap: true
                """
            ])
        #expect(
            try notices(inGroup("  - name: g")) == [
                """
                box.yaml:5:5: group 'g' has neither targets nor a tap, so its stream is not used; add targets: or \
                tap: true
                """
            ])
        #expect(
            try notices(withTargets("{ name: t, url: \"rtmp://h\" }")) == [
                """
                box.yaml:9:23: url 'rtmp://h' names no application, which RTMP servers expect; write for instance \
                rtmp://h/live
                """
            ])
        #expect(
            try notices(
                inGroup("  - { name: g, video: { codec: hevc }, targets: [{ name: t, url: \"rtmps://h/a\" }] }")) == [
                    """
                    box.yaml:5:50: target 't' gets hevc over RTMP, which many servers reject and FFmpeg sends \
                    only from version 6.1 on; h264 works everywhere
                    """
                ])
        #expect(
            try notices("status: { file: /run/box.txt }\n" + withSources("test: {}")) == [
                "box.yaml:1:17: node_exporter reads only files whose names end with .prom; call it /run/box.txt.prom"
            ])
    }

    @Test("a listener without a key is a warning, except on this machine")
    func openListeners() throws {
        let open = { (address: String) in withSources("rtmp: { listen: \"\(address)\" }") }
        for address in ["0.0.0.0:1935", "[::]:1935", "192.168.1.10:1935", "box.example:1935"] {
            #expect(
                try notices(open(address)) == [
                    """
                    box.yaml:5:11: the rtmp source has no key, so any client that reaches \(address) goes on air; \
                    add key: { file: PATH }, or listen on 127.0.0.1
                    """
                ])
        }
        for address in ["127.0.0.1:1935", "127.9.9.9:1935", "[::1]:1935", "localhost:1935"] {
            #expect(try notices(open(address)) == [])
        }
        #expect(try notices(withSources("rtmp: { listen: \"0.0.0.0:1935\", key: { env: KEY } }")) == [])
        #expect(
            try notices(withSources("srt: { listen: \"0.0.0.0:9000\" }")) == [
                """
                box.yaml:5:10: the srt source has no passphrase, so any client that reaches 0.0.0.0:9000 goes on \
                air; add passphrase: { file: PATH }, or listen on 127.0.0.1
                """
            ])
        for open in ["0.0.0.0:9000\", streamid: x", "127.0.0.1:9000\"", "0.0.0.0:9000\", passphrase: { env: P }"] {
            #expect(try notices(withSources("srt: { listen: \"\(open) }"), ownerOnly: true) == [])
        }
    }

    @Test("a pull that listens without a secret is a warning")
    func pullsThatListen() throws {
        func said(_ url: String, _ more: String = "") throws -> [String] {
            try notices(withSources("pull: { url: \"\(url)\"\(more) }"), ownerOnly: true)
        }
        let srt =
            """
            box.yaml:5:18: the pull source listens and has no passphrase, so any client that reaches 0.0.0.0:9000 \
            goes on air; 
            """
            + "write srt: { listen: \"0.0.0.0:9000\", passphrase: { file: PATH } } in its place, or listen on 127.0.0.1"
        for url in [
            "srt://0.0.0.0:9000?mode=listener", "srt://:9000?mode=listener",
            "srt://0.0.0.0:9000?mode=listener&streamid=abc",
        ] { #expect(try said(url) == [srt]) }
        #expect(try said("srt://0.0.0.0:9000?mode=listener", ", streamid: { env: S }") == [srt])
        let udp = { (scheme: String, address: String) in
            """
            box.yaml:5:18: the pull source listens on \(address), whatever host the url names, and \(scheme) knows \
            no key, so any client that reaches it goes on air; 
            """
                + """
                add sources=ADDRESS of the sender to the url, or let the sender use SRT to srt: { listen: \
                \"\(address)\", passphrase: { file: PATH } }
                """
        }
        #expect(try said("udp://0.0.0.0:5000") == [udp("udp", "0.0.0.0:5000")])
        #expect(try said("udp://:5000") == [udp("udp", "0.0.0.0:5000")])
        #expect(try said("udp://10.0.0.7:5000") == [udp("udp", "0.0.0.0:5000")])
        #expect(try said("rtp://[::]:5000") == [udp("rtp", "[::]:5000")])
        #expect(try said("udp://10.0.0.7:5000?localaddr=10.0.0.2") == [udp("udp", "10.0.0.2:5000")])
        #expect(
            try said("udp://127.0.0.1:5000") == [
                """
                box.yaml:5:18: the pull source listens on 0.0.0.0:5000, whatever host the url names, and udp knows \
                no key, so any client that reaches it goes on air; 
                """
                    + "add localaddr=127.0.0.1 to the url"
            ])
        for url in [
            "srt://127.0.0.1:9000?mode=listener", "srt://0.0.0.0:9000?mode=listener&passphrase=0123456789",
            "srt://h:9000", "srt://h:9000?mode=rendezvous",
            "udp://127.0.0.1:5000?localaddr=127.0.0.1", "udp://239.1.2.3:5000", "udp://[ff15::1]:5000",
            "rtp://0.0.0.0:5000?sources=10.0.0.7",
            "udp://10.0.0.7:5000?connect=1", "rtmp://h/live/a", "http://h/a.ts", "rtsp://h/a",
        ] { #expect(try said(url) == [], "\(url)") }
        #expect(try said("srt://0.0.0.0:9000?mode=listener", ", passphrase: { env: P }") == [])
    }

    @Test("a part that is not supported yet is reported with its place")
    func notYetNotices() throws {
        #expect(try notices(example, notYet: NotYet.list) == [])
        #expect(
            try notices(withVideo("{ codec: av1 }"), notYet: [.av1]) == [
                "box.yaml:7:21: not yet: this version does not encode av1; libx264 is used instead"
            ])
        #expect(try notices(withVideo("{ encoder: libx264 }"), notYet: NotYet.list) == [])
        #expect(try notices(example, notYet: []) == [])
    }
}
