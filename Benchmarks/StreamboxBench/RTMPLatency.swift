import Foundation
import TestSupport

/// Measures how much later a frame reaches an RTMP target through the service than directly.
///
/// Three publishers send the same messages at the same times: one to a receiver, one to nginx-rtmp and one to the
/// service, which send to a receiver each.
struct RTMPLatency {
    var product: Product
    var seconds: Int
    /// Seconds at the start that do not count.
    var warmup: Int
    /// Frames per second.
    var rate: Int

    /// A way of the frames to a receiver.
    private struct Route {
        var name: String
        /// The port of the server that gets the frames first.
        var port: Int
        var receiver: RTMPStub
    }

    func run() async throws {
        try await withStage { stage in
            let tags = try await stage.tags(of: source)
            let direct = try RTMPStub()
            let routes = [
                Route(name: "sent directly    ", port: direct.port, receiver: direct),
                try await startPeer(stage), try await startService(stage),
            ]
            let sent = try await publish(tags, to: routes)
            // The last frames are on their way.
            try await Task.sleep(for: .seconds(1))
            let identity = FrameIdentity(tags)
            let delays = zip(routes, sent).map { self.delays(at: $0.receiver, identity, sent: $1) }
            try report(routes, delays)
        }
    }

    private var source: NumberedSource {
        .with {
            ($0.width, $0.height, $0.rate, $0.gop) = (1280, 720, rate, rate)
            $0.duration = .seconds(warmup + seconds)
            $0.picture = .busy
            $0.bitrate = 4000
        }
    }

    private func startPeer(_ stage: Stage) async throws -> Route {
        let receiver = try RTMPStub()
        let port = try await stage.copyingPeer(to: [receiver.url("peer")]).port
        return Route(name: "nginx-rtmp's push", port: port, receiver: receiver)
    }

    private func startService(_ stage: Stage) async throws -> Route {
        let receiver = try RTMPStub()
        let port = try await stage.copyingService(product, targets: ["url: \"\(receiver.url("x"))\""]).port
        return Route(name: "streambox        ", port: port, receiver: receiver)
    }

    /// - Returns: For each route, when the last byte of each frame was sent.
    private func publish(_ tags: [FLVFile.Tag], to routes: [Route]) async throws -> [[ContinuousClock.Instant]] {
        let messages = tags.map { HandMadePublisher.Message($0) }
        let publishing = routes.map { route in
            Task { try await HandMadePublisher.publish(messages, to: route.port, key: "x") }
        }
        var sent: [[ContinuousClock.Instant]] = []
        for (route, task) in zip(routes, publishing) {
            let report = try await task.value
            guard !report.wasCut else { throw Failed("\(route.name): the publisher was disconnected") }
            sent.append(report.frames)
        }
        return sent
    }

    /// The milliseconds from the sending of each frame to its arrival, by its index.
    private func delays(
        at receiver: RTMPStub, _ identity: FrameIdentity, sent: [ContinuousClock.Instant]
    ) -> [Int: Double] {
        var delays: [Int: Double] = [:]
        for message in receiver.records.flatMap(\.media) {
            guard let tag = message.tag, let index = identity.index(of: tag), index >= warmup * rate else { continue }
            delays[index] = (message.arrival - sent[index]).inSeconds * 1000
        }
        return delays
    }

    private func report(_ routes: [Route], _ delays: [[Int: Double]]) throws {
        print(
            """
            latency: last byte of a frame sent → last byte of it at an RTMP receiver; H.264 and AAC, copied, \
            \(seconds) s at \(rate) frames per second
            """)
        for (route, delays) in zip(routes, delays) {
            // A group that connects late or loses frames would be compared by other frames than the others.
            guard delays.count * 10 > seconds * rate * 9 else {
                throw Failed("\(route.name): \(delays.count) frames of \(seconds * rate) came; try a longer --warmup")
            }
            print("  \(route.name)   \(line(Array(delays.values)))")
        }
        for (route, found) in zip(routes, delays).dropFirst() {
            let pairs = found.compactMap { index, delay in delays[0][index].map { delay - $0 } }
            let goal = route.name.hasPrefix("streambox") ? " (to be ≤ 5 and ≤ 20 ms)" : ""
            print("  added, frame by frame, \(route.name)   \(line(pairs))\(goal)")
        }
    }

    private func line(_ delays: [Double]) -> String {
        """
        median \(median(delays).formatted(1)) ms, p95 \(percentile(delays, 0.95).formatted(1)) ms, \
        \(delays.count) frames
        """
    }
}
