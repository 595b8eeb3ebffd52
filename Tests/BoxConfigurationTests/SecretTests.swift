import Glibc
import Testing

@testable import BoxConfiguration

@Suite struct SecretTests {
    private let hidden = "hunter2hunter2"

    @Test("a secret from a file loses one trailing line break")
    func file() throws {
        try withFolder { folder in
            try write(Array("\(hidden)\n".utf8), to: "\(folder)/key")
            #expect(try SecretReference.file("\(folder)/key").resolve(environment: [:]).reveal() == hidden)
            try write(Array("\(hidden)\r\n".utf8), to: "\(folder)/key")
            #expect(try SecretReference.file("\(folder)/key").resolve(environment: [:]).reveal() == hidden)
        }
    }

    @Test("a secret file that other users can read is rejected with the fix", arguments: [0o640, 0o604, 0o644, 0o660])
    func exposedFile(mode: Int) throws {
        try withFolder { folder in
            try write(Array(hidden.utf8), to: "\(folder)/key", mode: mode_t(mode))
            let error = #expect(throws: SecretError.self) {
                try SecretReference.file("\(folder)/key").resolve(environment: [:])
            }
            #expect(error?.code == .exposed)
            #expect(
                error?.description
                    == """
                    the secret file \(folder)/key can be read by users other than its owner; run: chmod 600 \
                    \(folder)/key
                    """
            )
        }
    }

    @Test("a secret file of another user is rejected, even for root", .enabled(if: geteuid() == 0))
    func foreignFile() throws {
        try withFolder { folder in
            try write(Array(hidden.utf8), to: "\(folder)/key")
            #expect(chown("\(folder)/key", 65534, 65534) == 0)
            let error = #expect(throws: SecretError.self) {
                try SecretReference.file("\(folder)/key").resolve(environment: [:])
            }
            #expect(error?.code == .foreign)
            #expect(
                error?.description
                    == """
                    the secret file \(folder)/key belongs to another user, number 65534, who can read and change \
                    it; run the command as that user, or: chown 0 \(folder)/key
                    """
            )
        }
    }

    @Test("a secret file that is missing, a folder, empty or too large is rejected")
    func unusableFiles() throws {
        try withFolder { (folder: String) throws in
            func refusal(_ bytes: [UInt8]?) throws -> String? {
                if let bytes { try write(bytes, to: "\(folder)/key") }
                return #expect(throws: SecretError.self) {
                    try SecretReference.file("\(folder)/key").resolve(environment: [:])
                }?.description.replacing("the secret file \(folder)/key ", with: "")
            }
            #expect(try refusal(nil) == "does not exist")
            #expect(try refusal([]) == "is empty")
            #expect(try refusal([10]) == "is empty")
            #expect(try refusal(Array("a\nb".utf8)) == "holds a line break or a control character; it must be one line")
            #expect(try refusal([0xFF, 0xFE]) == "is not UTF-8 text")
            #expect(try refusal([UInt8](repeating: 65, count: 5000)) == "is too large; at most 4096 bytes are read")
            let error = #expect(throws: SecretError.self) { try SecretReference.file(folder).resolve(environment: [:]) }
            #expect(error?.description == "the secret file \(folder) is a folder, not a file")
        }
    }

    @Test("a credential comes from the folder that systemd names")
    func credential() throws {
        try withFolder { folder in
            try write(Array("\(hidden)\n".utf8), to: "\(folder)/ingest", mode: 0o440)
            let environment = ["CREDENTIALS_DIRECTORY": folder]
            #expect(try SecretReference.credential("ingest").resolve(environment: environment).reveal() == hidden)
            let missing = #expect(throws: SecretError.self) {
                try SecretReference.credential("other").resolve(environment: environment)
            }
            #expect(missing?.description == "the credential other does not exist")
            // The folder is closed to other users. If it is not, the file has to be.
            try write(Array("\(hidden)\n".utf8), to: "\(folder)/open", mode: 0o444)
            chmod(folder, 0o700)
            #expect(try SecretReference.credential("open").resolve(environment: environment).reveal() == hidden)
            chmod(folder, 0o755)
            let open = #expect(throws: SecretError.self) {
                try SecretReference.credential("open").resolve(environment: environment)
            }
            #expect(
                open?.description
                    == "the credential open can be read by every user of this machine; run: chmod 600 \(folder)/open")
            #expect(try SecretReference.credential("ingest").resolve(environment: environment).reveal() == hidden)
            let outside = #expect(throws: SecretError.self) {
                try SecretReference.credential("../ingest").resolve(environment: environment)
            }
            #expect(outside?.description == "'../ingest' is not a credential name")
        }
        let error = #expect(throws: SecretError.self) {
            try SecretReference.credential("ingest").resolve(environment: [:])
        }
        #expect(
            error?.description
                == """
                the credential ingest cannot be read because $CREDENTIALS_DIRECTORY is not set; add \
                LoadCredential=ingest:PATH to the systemd unit
                """
        )
    }

    @Test("a secret from the environment must be set and not empty")
    func environment() throws {
        #expect(try SecretReference.env("KEY").resolve(environment: ["KEY": hidden]).reveal() == hidden)
        #expect(
            throws: SecretError(
                code: .missing,
                description: "the environment variable KEY is not set; set it where the service is started")
        ) {
            try SecretReference.env("KEY").resolve(environment: [:])
        }
        #expect(throws: SecretError(code: .unsuitable, description: "the environment variable KEY is empty")) {
            try SecretReference.env("KEY").resolve(environment: ["KEY": ""])
        }
    }

    @Test("an SRT passphrase has 10 to 79 characters")
    func passphrase() throws {
        for (count, isGood) in [(9, false), (10, true), (79, true), (80, false)] {
            let value = String(repeating: "p", count: count)
            let secret = try? SecretReference.env("P").resolve(environment: ["P": value], as: .passphrase)
            #expect((secret != nil) == isGood)
        }
        #expect(
            mistakes(withTargets("{ name: t, url: \"srt://h:1\", passphrase: short }"), ownerOnly: true) == [
                "box.yaml:9:48: passphrase has 5 characters; an SRT passphrase has 10 to 79"
            ])
    }

    @Test("a secret in a file that other users can read is rejected, not quoted")
    func literalRefused() {
        #expect(
            mistakes(withTargets("{ name: t, url: \"rtmp://h/a\", key: \(hidden) }")) == [
                """
                box.yaml:9:42: key is written directly into a file that other users can read; write { file: PATH \
                }, { credential: NAME } or { env: NAME }, or run: chmod 600 box.yaml
                """
            ])
    }

    @Test("a secret in a file that only its owner can read is accepted")
    func literalAllowed() throws {
        for (written, value) in [(hidden, hidden), ("12345678901", "12345678901")] {
            let box = try parse(withTargets("{ name: t, url: \"rtmp://h/a\", key: \(written) }"), ownerOnly: true)
                .configuration
            #expect(
                box.channels[0].groups[0].targets[0].destination
                    == .rtmp(RTMPTarget(url: "rtmp://h/a", key: .literal(Secret(value)))))
        }
    }

    @Test(
        "the mode of the configuration file decides if it may hold secrets",
        arguments: [(0o600, true), (0o400, true), (0o640, false), (0o644, false)])
    func literalByMode(mode: Int, isAllowed: Bool) throws {
        try withFolder { folder in
            let text = withTargets("{ name: t, url: \"rtmp://h/a\", key: \(hidden) }")
            try write(Array(text.utf8), to: "\(folder)/box.yaml", mode: mode_t(mode))
            let file = try? ConfigurationFile.load(path: "\(folder)/box.yaml")
            #expect((file != nil) == isAllowed)
        }
    }

    @Test(
        "a reference with a mistake is rejected, and its text is not quoted",
        arguments: [
            "{ \(Self.leak) }", "{ fil: \(Self.leak) }", "{ env: $\(Self.leak) }", "[\(Self.leak)]",
            "{ env: A, file: \(Self.leak) }",
            "{ \(Self.leak): x }", "{}", "", "{ credential: a/b }",
        ])
    func wrongReferences(reference: String) {
        let found = mistakes(withTargets("{ name: t, url: \"rtmp://h/a\", key: \(reference) }"))
        #expect(found.count == 1)
        #expect(!found.joined().contains(Self.leak))
    }
    private static let leak = "hunter2hunter2"

    @Test("a passphrase in the url of a target counts as written into the file")
    func passphraseInURL() throws {
        let text = withTargets("{ name: t, url: \"srt://h:1?passphrase=\(hidden)\" }")
        #expect(mistakes(text).count == 1)
        #expect(!mistakes(text).joined().contains(hidden))
        #expect(mistakes(text, ownerOnly: true) == [])
    }

    @Test(
        "a key or password in a url is a warning if other users can read the file",
        arguments: [
            withTargets("{ name: t, url: \"rtmp://h/app/\(Self.leak)\" }"),
            withTargets("{ name: t, url: \"rtmp://user:\(Self.leak)@h/app\" }"),
            withTargets("{ name: t, url: \"rtmp://h/app?auth=\(Self.leak)\" }"),
            withSources("pull: { url: \"rtsp://user:\(Self.leak)@camera/stream\" }"),
            withSources("pull: { url: \"srt://h:9000?passphrase=\(Self.leak)\" }"),
            withSources("pull: { url: \"srt://h:9000?streamid=\(Self.leak)\" }"),
            withSources("pull: { url: \"http://h/a.ts?password=\(Self.leak)\" }"),
            withSources("pull: { url: \"https://h/a.ts?channel=1&token=\(Self.leak)\" }"),
            withSources("pull: { url: \"rtmp://h/live/a?\(Self.leak)\" }"),
            withSources("srt: { listen: \"127.0.0.1:9000\", streamid: \(Self.leak) }"),
            withTargets("{ name: t, url: \"srt://h:1\", streamid: \(Self.leak) }"),
            withTargets("{ name: t, url: \"srt://h:1?streamid=\(Self.leak)\" }"),
        ])
    func secretInURL(text: String) throws {
        let found = try notices(text)
        #expect(found.count == 1)
        #expect(!found.joined().contains(Self.leak))
        #expect(try notices(text, ownerOnly: true) == [])
    }

    @Test("a secret file that other users can read is a warning, a missing one is not")
    func openFile() throws {
        try withFolder { folder in
            let path = "\(folder)/key"
            let source = withSources("rtmp: { listen: \"127.0.0.1:1935\", key: { file: \(path) } }")
            #expect(try notices(source, ownerOnly: true) == [])
            for (mode, isOpen) in [(0o600, false), (0o400, false), (0o640, true), (0o604, true), (0o620, true)]
                as [(mode_t, Bool)]
            {
                try write(Array("\(hidden)\n".utf8), to: path, mode: mode)
                let file = try ConfigurationFile.parse(source, name: "box.yaml", ownerOnly: true)
                let found = file.notices.map(\.description)
                #expect(found.count == (isOpen ? 1 : 0))
                #expect(
                    found.allSatisfy {
                        $0.hasSuffix(
                            """
                            the secret file \(path) can be read by users other than its owner, so the service \
                            refuses it; run: chmod 600 \(path)
                            """
                        )
                    })
                // Without the check of files, no file is read.
                #expect(try notices(source, ownerOnly: true) == [])
                unlink(path)
            }
        }
    }

    @Test(
        "a secret in a url or a stream id is reported with the fix",
        arguments: [
            (
                "pull: { url: \"rtsp://u:p@h/x\" }",
                """
                5:18: the url holds a password, and other users can read this file; write it as password: { file: \
                PATH }, or run: chmod 600 box.yaml
                """
            ),
            (
                "pull: { url: \"rtmp://u:p@h/x\" }",
                "5:18: the url holds a password, and other users can read this file; run: chmod 600 box.yaml"
            ),
            (
                "pull: { url: \"srt://h:1?streamid=a&passphrase=0123456789\" }",
                """
                5:18: the url holds a passphrase and a stream id, and other users can read this file; write it as \
                passphrase: { file: PATH } and streamid: { file: PATH }, or run: chmod 600 box.yaml
                """
            ),
            (
                "pull: { url: \"http://h/x?token=a\" }",
                """
                5:18: the url holds a value that may be a password or a key, and other users can read this file; \
                run: chmod 600 box.yaml
                """
            ),
            (
                "srt: { listen: \"0.0.0.0:1\", streamid: a }",
                """
                5:43: streamid is written directly into a file that other users can read; write { file: PATH }, { \
                credential: NAME } or { env: NAME }, or run: chmod 600 box.yaml
                """
            ),
        ])
    func mends(source: String, message: String) throws {
        #expect(try notices(withSources(source)) == ["box.yaml:\(message)"])
        #expect(try notices(withSources(source), ownerOnly: true) == [])
    }

    @Test(
        "a url without a secret gives no warning",
        arguments: [
            "pull: { url: \"rtsp://h/cam/realmonitor?channel=1&subtype=0\" }", "pull: { url: \"rtsp://h/x?tcp\" }",
            "pull: { url: \"srt://h:1?mode=caller&latency=200000\" }",
            "pull: { url: \"rtsp://viewer@h/x\", password: { env: P } }",
            "pull: { url: \"srt://h:1\", passphrase: { file: /k }, streamid: { credential: c } }",
            "srt: { listen: \"0.0.0.0:1\", streamid: { file: /k } }",
        ])
    func givesNothingAway(source: String) throws {
        #expect(try notices(withSources(source)) == [])
    }

    @Test(
        "secrets of srt and pull sources can be references",
        arguments: [
            ("{ file: /k }", SecretReference.file("/k")), ("{ credential: c }", .credential("c")),
            ("{ env: V }", .env("V")),
        ])
    func places(written: String, reference: SecretReference) throws {
        let text = withSources(
            "srt: { listen: \"127.0.0.1:1\", streamid: \(written) }",
            "pull: { url: \"srt://h:2\", passphrase: \(written), streamid: \(written) }",
            "pull: { url: \"rtsp://viewer@h/x\", password: \(written) }")
        let box = try parse(text).configuration
        #expect(
            box.channels[0].sources.map(\.kind) == [
                .srt(SRTSource(listen: SocketAddress(host: "127.0.0.1", port: 1), streamid: reference)),
                .pull(PullSource(url: "srt://h:2", passphrase: reference, streamid: reference)),
                .pull(PullSource(url: "rtsp://viewer@h/x", password: reference)),
            ])
        let target = try parse(withTargets("{ name: t, url: \"srt://h:1\", streamid: \(written) }")).configuration
            .channels[0].groups[0].targets[0]
        #expect(target.destination == .srt(SRTTarget(url: "srt://h:1", streamid: reference)))
        let summary = ConfigurationSummary.render(box)
        for place in ["stream id \(written)", "passphrase \(written)", "password \(written)"] {
            #expect(summary.split { $0.isWhitespace }.joined(separator: " ").contains(place), "\(summary)")
        }
        if case .env = reference { #expect(box.secretVariables == ["V", "V", "V", "V"]) }
    }

    @Test("values of references are secret; of a stream id only the whole value")
    func values() throws {
        let text = withSources(
            "srt: { listen: \"127.0.0.1:1\", streamid: { env: ID } }",
            "pull: { url: \"srt://h:2\", streamid: { env: ID }, passphrase: { env: PASS } }",
            "pull: { url: \"rtsp://viewer@h/x\", password: { env: WORD } }")
        let values = try parse(text).configuration.secretValues(environment: [
            "ID": "#!::r=kitchen-1", "PASS": "0123456789", "WORD": "w0rd", "OTHER": "x",
        ])
        #expect(Set(values) == ["#!::r=kitchen-1", "0123456789", "w0rd", "viewer"])
    }

    @Test("a stream id with more than 512 bytes is rejected")
    func streamID() throws {
        for (count, isGood) in [(512, true), (513, false)] {
            let value = String(repeating: "s", count: count)
            let secret = try? SecretReference.env("S").resolve(environment: ["S": value], as: .streamid)
            #expect((secret != nil) == isGood)
            #expect(
                mistakes(withSources("srt: { listen: \"127.0.0.1:1\", streamid: \(value) }"), ownerOnly: true)
                    == (isGood ? [] : ["box.yaml:5:45: streamid is too long; SRT allows 512 characters"]))
        }
    }

    @Test("no description, dump or summary of a configuration shows a secret")
    func masked() throws {
        let text = """
            channels:
            - name: a
              sources:
              - rtmp: { listen: "0.0.0.0:1", key: \(hidden) }
              - srt: { listen: "0.0.0.0:2", passphrase: \(hidden), streamid: \(hidden) }
              - pull: { url: "rtsp://\(hidden):\(hidden)@camera/x?token=\(hidden)" }
              - pull: { url: "srt://camera:1", passphrase: \(hidden), streamid: \(hidden) }
              - pull: { url: "rtsp://\(hidden)@camera/x", password: \(hidden) }
              groups:
              - name: g
                targets:
                - { name: t, url: "rtmp://\(hidden)@h/app/\(hidden)?a=\(hidden)", key: "\(hidden)" }
                - { name: u, url: "srt://h:1?passphrase=\(hidden)&streamid=#!::\(hidden)" }
                - { name: v, url: "srt://h:1", passphrase: \(hidden), streamid: \(hidden) }
            """
        let file = try parse(text, ownerOnly: true)
        var dumped = ""
        dump(file, to: &dumped)
        let shown = [
            "\(file)", String(reflecting: file), dumped, "\(file.configuration)",
            ConfigurationSummary.render(file.configuration), "\(Secret(hidden))", String(reflecting: Secret(hidden)),
            "\(SecretReference.literal(Secret(hidden)))", String(reflecting: SecretReference.literal(Secret(hidden))),
        ]
        for text in shown { #expect(!text.contains("hunter2")) }
        #expect(dumped.contains("****"))
    }

    @Test("equal secrets are equal, and their bytes can be read")
    func reveal() {
        #expect(Secret("a") == Secret("a"))
        #expect(Secret("a") != Secret("b"))
        #expect(Secret("ab").withUnsafeBytes { Array($0) } == [97, 98])
    }

    @Test(
        "a reference is described as the file writes it",
        arguments: [
            (SecretReference.file("/etc/key"), "{ file: /etc/key }"), (.credential("ingest"), "{ credential: ingest }"),
            (.env("KEY"), "{ env: KEY }"), (.literal(Secret("x")), "****"),
            (.file("a \"b\""), "{ file: \"a \\\"b\\\"\" }"),
        ])
    func descriptions(reference: SecretReference, text: String) {
        #expect(reference.description == text)
    }
}
