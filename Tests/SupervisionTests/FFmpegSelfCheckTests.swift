import FFmpeg
import Foundation
import TestSupport
import Testing

@testable import Supervision

/// The findings of the self-check, for different ends of FFmpeg.
@Suite(.tags(.ffmpeg)) struct FFmpegSelfCheckTests {
    /// Checks a shell script in place of FFmpeg.
    private func check(
        _ script: String, without names: Set<String> = [],
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) async throws -> FFmpegSelfCheck.Findings {
        try await withTemporaryFolder { folder in
            let path = try folder.write("ffmpeg", "#!/bin/sh\n\(script)\n", mode: 0o755)
            let ffmpeg = FFmpegBinary(path: path, capabilities: .complete("9.0", without: names))
            return await FFmpegSelfCheck(ffmpeg: ffmpeg, environment: environment, limit: Limit.seconds(120)).run()
        }
    }

    @Test("an FFmpeg that accepts everything has no findings")
    func taken() async throws {
        let findings = try await check("exit 0")
        #expect(
            findings == FFmpegSelfCheck.Findings() && findings.isComplete
                && findings.incompleteMessage(version: "9.0") == nil)
    }

    @Test("a missing peer is not a refusal")
    func noPeer() async throws {
        let findings = try await check(
            "case \"$*\" in *127.0.0.1:1*) echo '[error] Connection refused' >&2; exit 1 ;; esac")
        #expect(findings.refused.isEmpty && findings.isComplete, "\(findings)")
    }

    @Test(
        "an FFmpeg that crashes or fails otherwise leaves its command lines unknown",
        arguments: ["kill -SEGV $$", "echo '[error] No space left on device' >&2; exit 1"])
    func unknown(script: String) async throws {
        let findings = try await check(script)
        #expect(findings.refused.isEmpty && !findings.isComplete)
        for name in [
            "file sources", "SRT sources", "the slate", "groups in HEVC", "recordings", "SRT targets",
            "audio of RTMP sources that is not AAC",
        ] {
            #expect(findings.unknown.contains(name), "\(name): \(findings.unknown)")
        }
        #expect(findings.incompleteMessage(version: "9.0")?.contains("recordings") == true)
    }

    @Test("a refused option is reported once, with all affected purposes")
    func refused() async throws {
        let findings = try await check(
            """
            case "$*" in
                *segment*) echo "[fatal] Unrecognized option 'segment_time'." >&2; exit 8 ;;
                *fps_mode*) echo "[fatal] Unrecognized option 'fps_mode'." >&2; exit 8 ;;
            esac
            """)
        #expect(
            findings.isComplete
                && findings.refused.map(\.refused) == ["the option -fps_mode", "the option -segment_time"],
            "\(findings)")
        #expect(findings.refused.last?.purposes == "recordings")
        for name in ["test sources", "groups in H.264", "groups in HEVC", "capture cards"] {
            #expect(findings.refused.first?.purposes.contains(name) == true, "\(findings)")
        }
    }

    @Test("a part that FFmpeg does not list is not tried")
    func unlisted() async throws {
        let findings = try await check("kill -SEGV $$", without: ["srt", "libx265"])
        #expect(findings.unknown.contains("groups in H.264"), "\(findings)")
        #expect(!findings.unknown.contains { $0.contains("SRT") || $0.contains("HEVC") }, "\(findings)")
    }

    @Test("recordings and targets are checked even without libx264")
    func withoutLibx264() async throws {
        let findings = try await check("echo \"[fatal] Unrecognized option 'map'.\" >&2; exit 8", without: ["libx264"])
        for name in ["file sources", "recordings", "RTMP targets", "SRT targets"] {
            #expect(findings.refused.first?.purposes.contains(name) == true, "\(findings)")
        }
    }

    @Test("without a temporary folder only command lines that need files are unknown")
    func noFolder() async throws {
        var environment = ProcessInfo.processInfo.environment
        environment["TMPDIR"] = "/nowhere"
        let findings = try await check("exit 0", environment: environment)
        #expect(
            findings.unknown == ["file sources", "slates with an image or a text", "recordings"]
                && findings.refused.isEmpty)
    }

    @Test("a cancelled check ends at once without a result")
    func cancelled() async throws {
        let task = Task { try await check("exec sleep 1000") }
        try await Task.sleep(for: .milliseconds(300))
        let clock = ContinuousClock()
        let cancelled = clock.now
        task.cancel()
        let findings = try await task.value
        #expect(findings.refused.isEmpty && findings.unknown.contains("recordings"))
        // Two dozen processes that are not ended take two minutes.
        #expect(clock.now - cancelled < Limit.seconds(60))
    }

    @Test("the installed FFmpeg accepts every kind of command line")
    func installedTakesAll() async throws {
        let environment = ProcessInfo.processInfo.environment
        let ffmpeg = try await FFmpegBinary.locate(nil, environment: environment, limit: Limit.seconds(60)).binary
        let findings = await FFmpegSelfCheck(ffmpeg: ffmpeg, environment: environment, limit: Limit.seconds(120)).run()
        #expect(findings == FFmpegSelfCheck.Findings(), "\(findings)")
    }

    @Test("a bound port of the loopback address differs from a free one")
    func port() throws {
        let port = try #require(UDPPort.free())
        #expect(!UDPPort.isBound(port))
        let holder = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(holder) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let isBound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(holder, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        try #require(isBound)
        #expect((0..<5).contains { _ in UDPPort.isBound(port) })
    }
}
