import MediaTypes
import TestSupport
import Testing

@testable import BoxConfiguration

@Suite struct LoadingTests {
    private func refusal(_ path: String) -> String? {
        #expect(throws: ConfigurationError.self) { try ConfigurationFile.load(path: path) }?.description
    }

    @Test("a file that cannot be read throws an error that says why")
    func unusableFiles() throws {
        try withFolder { folder in
            let path = "\(folder)/box.yaml"
            #expect(refusal(path) == "\(path): the configuration file does not exist")
            #expect(refusal(folder) == "\(folder): the configuration file is a folder, not a file")
            #expect(refusal("/dev/null") == "/dev/null: the configuration file is not a regular file")
            try write([], to: path)
            #expect(refusal(path)?.hasPrefix("\(path):1:1: the file is empty;") == true)
            try write(Array("a: b\nc: ".utf8) + [0xC3, 0x28], to: path)
            #expect(refusal(path) == "\(path):2:4: the file is not UTF-8 text here; save it as UTF-8")
            try write([UInt8](repeating: 0x23, count: ConfigurationFile.limit + 1), to: path)
            #expect(refusal(path) == "\(path): the configuration file is too large; at most 1 MiB are read")
        }
    }

    @Test("a valid file is loaded")
    func goodFile() throws {
        try withFolder { folder in
            try write(Array(withSources("test: {}").utf8), to: "\(folder)/box.yaml", mode: 0o644)
            let file = try ConfigurationFile.load(path: "\(folder)/box.yaml")
            #expect(file.configuration.channels.map(\.name) == ["main"])
            #expect(file.notices == [])
        }
    }

    @Test("a named local file that is missing or a folder is rejected")
    func localFiles() throws {
        try withFolder { folder in
            let text = """
                channels:
                - name: a
                  tap: true
                  sources: [{ file: { path: \(folder)/show.mp4 } }]
                  slate: { image: \(folder) }
                """
            let error = #expect(throws: ConfigurationError.self) {
                try ConfigurationFile.parse(text, name: "box.yaml", ownerOnly: false)
            }
            #expect(
                error?.problems.map(\.description) == [
                    "box.yaml:4:29: path: the file \(folder)/show.mp4 does not exist",
                    "box.yaml:5:19: image: the file \(folder) is a folder, not a file",
                ])
        }
    }

    @Test("a change anywhere in the example never crashes, and every problem has a place")
    func mutations() {
        let seed = UInt64.random(in: 0 ... .max)
        print("seed of the mutations: \(seed)")
        var generator = SeededRandom(seed: seed)
        let original = Array(example.unicodeScalars)
        let pieces = Array("{}[]:,-&*!|>'\"%@`#?\t\n \u{0}\u{7F}\u{E9}\u{F700}\u{1F600}aA09./~<".unicodeScalars)
        for _ in 0..<400 {
            var scalars = original
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                let index = Int.random(in: 0..<scalars.count, using: &generator)
                switch Int.random(in: 0..<5, using: &generator) {
                case 0: scalars.remove(at: index)
                case 1: scalars.insert(pieces.randomElement(using: &generator) ?? "a", at: index)
                case 2: scalars[index] = pieces.randomElement(using: &generator) ?? "a"
                case 3:
                    scalars.removeSubrange(
                        index..<min(scalars.count, index + Int.random(in: 1...200, using: &generator)))
                default:
                    let end = min(scalars.count, index + Int.random(in: 1...200, using: &generator))
                    scalars.insert(
                        contentsOf: scalars[index..<end], at: Int.random(in: 0..<scalars.count, using: &generator))
                }
                if scalars.isEmpty { scalars = original }
            }
            var text = String.UnicodeScalarView()
            text.append(contentsOf: scalars)
            do {
                let file = try ConfigurationFile.parse(String(text), name: "m", ownerOnly: true, checksFiles: false)
                #expect(file.notices.allSatisfy { $0.line > 0 && $0.column > 0 }, "seed \(seed)")
            } catch {
                #expect(
                    !error.problems.isEmpty && error.problems.allSatisfy { $0.line > 0 && $0.column > 0 },
                    "seed \(seed): \(error)")
                #expect(error.problems.map(\.line) == error.problems.map(\.line).sorted(), "seed \(seed)")
            }
        }
    }

    @Test("the example cut short at any byte never crashes")
    func truncations() {
        let bytes = Array(example.utf8)
        for end in stride(from: 0, to: bytes.count, by: 7) {
            _ = try? parse(String(decoding: bytes[..<end], as: UTF8.self))
        }
    }
}

@Suite struct SummaryTests {
    @Test("the summary describes every channel in 80 columns")
    func wholeExample() throws {
        let expected = """
            1 channel, 1 group, 3 targets
            ffmpeg     /usr/bin/ffmpeg
            runtime    /run/streambox
            state      /var/lib/streambox
            status     /run/streambox/streambox.prom every 2s, http://127.0.0.1:9163
            encoders   nvenc, vaapi, qsv, v4l2m2m, software

            channel    main
              sources    1. rtmp-0: listens on 0.0.0.0:1935, app live, key { credential:
                            ingest }
                         2. srt-1: listens on 0.0.0.0:9000, passphrase { file:
                            /etc/streambox/keys/srt }
                         3. pull-2: pulls rtsp://camera/stream
                         4. capture-3: card with serial SN0001, 1920x1080, 60 fps, audio
                            auto
                         5. raw-4: reads /run/streambox/frames, 1280x720, 30 fps, bgra
                         6. file-5: plays show.mp4 in a loop
                         7. test-6: test picture, 1280x720, 30 fps
              slate      after 1s, image standby.png, text "Back soon"
              mezzanine  20M, a keyframe every 500ms
              tap        yes
              group      hd
                video      h264, encoder auto, 1920x1080, 30 fps, 6M, a keyframe every 2s,
                           profile high
                audio      aac, 160k, 48000 Hz, 2 channels
                target     twitch: rtmp://live.twitch.tv/app, key { credential: twitch }
                target     studio: srt://10.0.0.2:9000, passphrase { env: STUDIO_PASS }
                target     archive: records into /var/lib/streambox/rec, a file every 10m,
                             keeps 20G

            """
        #expect(ConfigurationSummary.render(try parse(example).configuration) == expected)
    }

    @Test("fit and deinterlace appear in the summary unless they are the defaults")
    func shape() throws {
        let usual = try parse(
            inGroup("  - { name: g, tap: true, video: { size: 640x360, fit: pad, deinterlace: auto } }")
        ).configuration
        #expect(usual.channels[0].groups[0].video == .encode(VideoEncoding(size: FrameSize(width: 640, height: 360))))
        #expect(
            !ConfigurationSummary.render(usual).contains("fit")
                && !ConfigurationSummary.render(usual).contains("deinterlace"))
        let other = try parse(inGroup("  - { name: g, tap: true, video: { fit: crop, deinterlace: off } }"))
            .configuration
        #expect(other.channels[0].groups[0].video == .encode(VideoEncoding(fit: .crop, deinterlace: .off)))
        let words = ConfigurationSummary.render(other).split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(words.contains("fit crop, deinterlace off"), "\(words)")
    }

    @Test("no line of the summary is longer than 80 columns")
    func width() throws {
        let long = String(repeating: "x", count: 200)
        let text = withSources("file: { path: /\(long) }", "pull: { url: \"rtsp://\(long.prefix(100))/\(long)\" }")
        for line in ConfigurationSummary.render(try parse(text).configuration).split(separator: "\n") {
            #expect(line.count <= 80)
        }
    }
}
