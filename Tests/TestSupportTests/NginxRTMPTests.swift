import Foundation
import TestSupport
import Testing

@Suite("nginx-rtmp", .tags(.ffmpeg))
struct NginxRTMPTests {
    @Test("a stream that is pushed and recorded has every frame")
    func recordsEveryFrame() async throws {
        try await withStage { stage in
            let nginx = try await stage.nginx(record: true)
            let source = NumberedSource.with { $0.duration = .seconds(3) }
            let publisher = try await stage.publish(source, to: nginx.url("key-1"))
            try await nginx.waitForPublishes(of: "key-1")
            #expect(try await publisher.wait(.seconds(20)) == .exited(0))
            try await eventually("the end of the publish") {
                try nginx.publishes(of: "key-1").first?.hasEnded == true
            }
            #expect(try nginx.publishes().map(\.endedOrderly) == [true])
            let file = try #require(nginx.recordings(of: "key-1").first)
            let verdict = Verdict(try await FrameReader.read(.url(file)))
            #expect(verdict.isWhole && verdict.received == 90, "\(verdict)")
            let probe = try await MediaProbe.read(.url(file))
            #expect(probe.video?.codec == "h264" && probe.video?.width == 640)
            #expect(probe.audio?.codec == "aac" && probe.audio?.sampleRate == 48000)
            #expect(probe.packets(of: probe.video).filter(\.isKey).count == 3)
            #expect(probe.backwards.isEmpty)
        }
    }

    @Test("a published stream is in the statistics")
    func statistics() async throws {
        try await withStage { stage in
            let nginx = try await stage.nginx()
            _ = try await stage.publish(.with { $0.duration = nil }, to: nginx.url("key-2"))
            try await eventually("the name in the statistics") { try await nginx.stat().contains("<name>key-2</name>") }
        }
    }

    @Test("a rejected key is seen, and so is its accepted second attempt")
    func refusedKey() async throws {
        try await withStage { stage in
            let nginx = try await stage.nginx()
            try nginx.refuse("wrong")
            let source = NumberedSource.with { $0.duration = .seconds(2) }
            let refused = try await stage.publish(source, to: nginx.url("wrong"))
            #expect(try await refused.wait(.seconds(20)) != .exited(0))
            try nginx.allow("wrong")
            let allowed = try await stage.publish(source, to: nginx.url("wrong"))
            #expect(try await allowed.wait(.seconds(20)) == .exited(0))
            #expect(try nginx.publishes().map(\.isAccepted) == [false, true])
        }
    }

    @Test("a publisher can be dropped, and a killed server returns on its port")
    func dropAndRestart() async throws {
        try await withStage { stage in
            let nginx = try await stage.nginx()
            let source = NumberedSource.with { $0.duration = nil }
            let dropped = try await stage.publish(source, to: nginx.url("one"))
            try await nginx.waitForPublishes(of: "one")
            try await nginx.dropPublisher("one")
            #expect(try await dropped.wait() != .exited(0))
            await nginx.kill()
            #expect(!FreePort.isListening(tcp: nginx.port))
            try await nginx.restart()
            _ = try await stage.publish(source, to: nginx.url("two"))
            try await nginx.waitForPublishes(of: "two")
            #expect(try nginx.publishes().map(\.name) == ["one", "two"])
        }
    }

    @Test("two publishes within one second are both recorded")
    func quickReconnect() async throws {
        try await withStage { stage in
            let nginx = try await stage.nginx(record: true)
            for first: UInt32 in [0, 1000] {
                let source = NumberedSource.with {
                    $0.duration = .seconds(0.3)
                    $0.firstNumber = first
                }
                let publisher = try await stage.publish(source, to: nginx.url("again"))
                #expect(try await publisher.wait(.seconds(20)) == .exited(0))
            }
            var numbers = Set<UInt32>()
            for file in nginx.recordings() {
                numbers.formUnion(try await FrameReader.read(.url(file), audio: false).numbers)
            }
            #expect(numbers == Set(0...8).union(1000...1008))
        }
    }
}
