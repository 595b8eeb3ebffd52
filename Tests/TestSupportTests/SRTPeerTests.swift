import TestSupport
import Testing

@Suite("SRT peers", .tags(.ffmpeg))
struct SRTPeerTests {
    @Test("a caller with the right passphrase is received whole", arguments: [nil, "correct-horse"])
    func received(_ passphrase: String?) async throws {
        try await withStage { stage in
            let listener = try await stage.srtListener(passphrase: passphrase)
            let source = NumberedSource.with { $0.duration = .seconds(6) }
            let caller = try await stage.srtCaller(source, port: listener.port, passphrase: passphrase)
            #expect(try await caller.program.wait(.seconds(20)) == .exited(0))
            try await listener.program.wait(.seconds(20))
            let verdict = Verdict(try await FrameReader.read(.url(listener.file!)))
            // FFmpeg closes an SRT socket without waiting for data that is still on its way: seconds of it on a busy
            // machine.
            #expect(verdict.lost.isEmpty && verdict.backwards.isEmpty, "\(verdict)")
            #expect(verdict.first == 0 && verdict.received >= 75, "\(verdict)")
        }
    }

    @Test("a caller with the wrong passphrase is rejected")
    func refused() async throws {
        try await withStage { stage in
            let listener = try await stage.srtListener(passphrase: "correct-horse")
            let caller = try await stage.srtCaller(
                NumberedSource(), port: listener.port, passphrase: "battery-staple")
            #expect(try await caller.program.wait(.seconds(20)) != .exited(0))
        }
    }
}
