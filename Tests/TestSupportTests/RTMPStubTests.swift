import TestSupport
import Testing

/// The stub with a real FFmpeg that publishes.
@Suite("RTMP stub", .tags(.ffmpeg))
struct RTMPStubTests {
    private static let source = NumberedSource.with { $0.duration = .seconds(2) }

    private struct Outcome {
        /// The last connection.
        var record: StubRecord
        var succeeded: Bool
        /// The publisher's messages.
        var errors: String
    }

    /// Publishes two seconds to a stub.
    private func publish(_ stage: Stage, to behaviour: StubBehaviour, login: String = "") async throws -> Outcome {
        let stub = try RTMPStub(behaviour)
        let publisher = try await stage.publish(Self.source, to: "rtmp://\(login)127.0.0.1:\(stub.port)/live/key")
        let ending = try await publisher.wait(.seconds(30))
        let record = try await stub.waitFor("the end", connection: stub.records.count - 1) { $0.isOver }
        #expect(record.violation == nil && record.echoesHandshake)
        return Outcome(record: record, succeeded: ending == .exited(0), errors: publisher.errors.text)
    }

    @Test(
        "a stream that is accepted arrives whole",
        arguments: [
            StubBehaviour.accept, .talkative, .acceptLate(.seconds(1)), .window(1), .chunkSize(1),
            .chunkSize(128 << 20), .oneByteAtATime,
        ])
    func accepted(_ behaviour: StubBehaviour) async throws {
        try await withStage { stage in
            let outcome = try await publish(stage, to: behaviour)
            let record = outcome.record
            #expect(outcome.succeeded && record.endedOrderly, "\(outcome.errors)")
            #expect(record.application == "live" && record.streamName == "key")
            if behaviour == .window(1) { #expect(!record.acknowledgements.isEmpty) }
            let file = try stage.folder.write("stub.flv", bytes: record.file)
            let verdict = Verdict(try await FrameReader.read(.url(file)))
            #expect(verdict.isWhole && verdict.received == 60, "\(verdict)")
        }
    }

    // FFmpeg closes the connection with a ping that it has not read, and so may lose its last frames.
    @Test("pings are answered, and their answers are kept")
    func pings() async throws {
        try await withStage { stage in
            let outcome = try await publish(stage, to: .ping(every: .milliseconds(100)))
            #expect(outcome.succeeded && outcome.record.pongs.first == 0, "\(outcome.errors)")
        }
    }

    @Test(
        "a publisher that is rejected exits with the server's words",
        arguments: [
            (StubBehaviour.denied, "NetStream.Publish.Denied"), (.badName(closes: true), "NetStream.Publish.BadName"),
            (.reject("closed today"), "closed today"), (.invalidApplication, "The application is unknown."),
            (.redirect(to: "rtmp://127.0.0.1:1/other"), "The application has moved."),
        ])
    func rejected(_ behaviour: StubBehaviour, words: String) async throws {
        try await withStage { stage in
            let outcome = try await publish(stage, to: behaviour)
            #expect(!outcome.succeeded && !outcome.record.isAccepted)
            #expect(outcome.errors.contains(words), "\(outcome.errors)")
        }
    }

    @Test(
        "a publisher whose connection is closed exits with an error",
        arguments: [
            StubBehaviour.closeAtPublish(answers: true), .closeAtPublish(answers: false),
            .close(after: .milliseconds(500)),
        ])
    func closed(_ behaviour: StubBehaviour) async throws {
        try await withStage { stage in
            let outcome = try await publish(stage, to: behaviour)
            #expect(!outcome.succeeded)
        }
    }

    @Test(
        "only a user with the right password passes a challenge",
        arguments: [
            StubBehaviour.adobe(user: "anna", password: "s3cret"), .limelight(user: "anna", password: "s3cret"),
        ])
    func challenged(_ behaviour: StubBehaviour) async throws {
        try await withStage { stage in
            let right = try await publish(stage, to: behaviour, login: "anna:s3cret@")
            #expect(right.succeeded && right.record.mediaCount > 60, "\(right.errors)")
            #expect(right.record.application?.contains("user=anna") == true)
            let wrong = try await publish(stage, to: behaviour, login: "anna:wrong@")
            #expect(!wrong.succeeded && !wrong.record.isAccepted)
        }
    }
}
